"""Changing the fields that an application adds to sessions."""

from parity.scenario import Scenario, Statement, get, post, scenario, shift, sign_in, sign_up, whoami

BODIES: tuple[object, ...] = (
    {},
    None,
    {"unknown": 1},
    {"id": "x"},
    {"token": "x", "userId": "x", "ipAddress": "x", "userAgent": "x", "createdAt": "2020-01-01T00:00:00.000Z"},
    {"expiresAt": "2099-01-01T00:00:00.000Z"},
    {"theme": "dark"},
    {"theme": ""},
    {"theme": None},
    {"theme": "dark", "textSize": 3, "note": "n", "unknown": 1, "token": "x"},
    {"textSize": 0},
    {"note": "n"},
    {"text_size": 3},
    {"role": "admin"},
    {"role": "admin", "theme": "dark"},
    {"role": []},
    *({"role": value} for value in (None, "", 0, False)),
    {"role": None, "theme": "dark"},
    {"theme": "Ünï 🔐"},
)
NOBODY: tuple[object, ...] = ({}, {"theme": "x"}, [], None)
ODD: tuple[object, ...] = (1, True, [], {}, 1.5)
DAY = 86400


def _update(body: object) -> Scenario:
    return scenario(f"{body}", sign_up(), post("/update-session", body), whoami(), on="accounts")


SESSION_UPDATES = [
    *[_update(body) for body in BODIES],
    scenario("without further fields", sign_up(), post("/update-session", {"theme": "dark"}), whoami()),
    scenario(
        "a field of another kind",
        sign_up(),
        *[post("/update-session", {"theme": value}) for value in ODD],
        on="accounts",
    ),
    scenario("nobody is signed in", *[post("/update-session", body) for body in NOBODY], on="accounts"),
    scenario("a list", sign_up(), *[post("/update-session", body) for body in ([], [1], "x", 1)], on="accounts"),
    scenario(
        "only one's own",
        sign_up(),
        sign_in(jar="b"),
        post("/update-session", {"theme": "dark"}),
        whoami(jar="b"),
        get("/list-sessions"),
        on="accounts",
    ),
    scenario(
        "a session that is not fresh",
        sign_up(),
        shift("session", "createdAt", -2 * DAY),
        shift("session", "updatedAt", -2 * DAY),
        post("/update-session", {"theme": "dark"}),
        on="accounts",
    ),
    scenario(
        "not remembered", sign_up(rememberMe=False), post("/update-session", {"theme": "dark"}), whoami(), on="accounts"
    ),
    scenario(
        "the cookie copy is written again",
        sign_up(),
        post("/update-session", {"theme": "dark", "note": "n"}),
        whoami(),
        on="versioned",
    ),
    scenario(
        "the row is gone, and a copy is left",
        sign_up(),
        Statement("delete from session"),
        post("/update-session", {"theme": "dark"}),
        whoami(),
        on="versioned",
    ),
]
