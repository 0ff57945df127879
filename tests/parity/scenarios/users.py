"""Changing one's own user."""

from parity.scenario import Scenario, get, post, scenario, shift, sign_up, whoami

BODIES: tuple[object, ...] = (
    {},
    None,
    {"unknown": 1},
    {"id": "x"},
    {"emailVerified": True},
    {"createdAt": "2020-01-01T00:00:00.000Z"},
    {"email": "new@example.com"},
    {"email": "new@example.com", "name": "New"},
    {"email": None},
    {"email": ""},
    {"image": None},
    {"image": ""},
    {"image": "https://example.com/x.png"},
    {"name": "New", "image": "x"},
    {"name": ""},
    {"name": "New", "unknown": 1, "emailVerified": True, "id": "x"},
    {"name": "Ünï 🔐"},
)
NOBODY: tuple[object, ...] = ({}, {"name": "x"}, {"email": "x"}, [], None)
ODD: tuple[object, ...] = (1, True, [], {}, 1.5)


def _update(body: object) -> Scenario:
    return scenario(f"update-user {body}", sign_up(image="old"), post("/update-user", body), whoami())


USERS = [
    *[_update(body) for body in BODIES],
    scenario("the name is null", sign_up(), post("/update-user", {"name": None}), whoami()),
    *[
        scenario(
            f"{field} of another kind", sign_up(), *[post("/update-user", {field: value}) for value in ODD], whoami()
        )
        for field in ("name", "image")
    ],
    scenario("nobody is signed in", *[post("/update-user", body) for body in NOBODY]),
    scenario("a list", sign_up(), *[post("/update-user", body) for body in ([], [1], "x", 1)]),
    scenario(
        "a session that is not fresh",
        sign_up(),
        shift("session", "createdAt", -2 * 86400),
        post("/update-user", {"name": "x"}),
    ),
    scenario("not remembered", sign_up(rememberMe=False), post("/update-user", {"name": "x"}), whoami()),
    scenario(
        "dates of the user",
        sign_up(),
        shift("user", "createdAt", -86400),
        shift("user", "updatedAt", -86400),
        post("/update-user", {"name": "x"}),
        whoami(),
    ),
    scenario(
        "two at once",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/update-user", {"name": "x"}),
        whoami(jar="b"),
        get("/list-sessions"),
    ),
]
