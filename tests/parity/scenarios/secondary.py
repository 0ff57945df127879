"""Sessions and limits in secondary storage, and limits in the database: replies, keys and values."""

from dataclasses import replace

from parity.scenario import Mail, Scenario, Step, get, post, reply, scenario, sign_in, sign_up, whoami
from parity.scenarios.rate_limits import times

STORES = ("secondary", "secondary and database", "secondary and record")
LIMITERS = ("limited in the database", "limited in secondary storage")


def everywhere(places: tuple[str, ...], name: str, *steps: Step) -> list[Scenario]:
    return [replace(scenario(name, *steps), configuration=place) for place in places]


SECONDARY = [
    *everywhere(STORES, "one session", sign_up(), whoami(), get("/list-sessions")),
    *everywhere(
        STORES,
        "three sessions, one of them short",
        sign_up(),
        sign_in(jar="b"),
        sign_in(jar="c", rememberMe=False),
        get("/list-sessions", jar="c"),
        *[whoami(jar=jar) for jar in "abc"],
    ),
    *everywhere(STORES, "sign-out of the last", sign_up(), post("/sign-out"), whoami()),
    *everywhere(STORES, "sign-out of one of two", sign_up(), sign_in(jar="b"), post("/sign-out"), whoami(jar="b")),
    *everywhere(
        STORES,
        "one is revoked",
        sign_up(),
        sign_in(jar="b", label="other"),
        post("/revoke-session", {"token": reply("other", "token")}),
        whoami(),
        whoami(jar="b"),
    ),
    *everywhere(
        STORES,
        "another user's is not revoked",
        sign_up(),
        sign_up("bob@example.com", jar="b", label="bob"),
        post("/revoke-session", {"token": reply("bob", "token")}),
        whoami(jar="b"),
    ),
    *everywhere(
        STORES,
        "all but one's own are revoked",
        sign_up(),
        sign_in(jar="b"),
        sign_in(jar="c"),
        post("/revoke-other-sessions", {}),
        *[whoami(jar=jar) for jar in "abc"],
    ),
    *everywhere(
        STORES,
        "all are revoked, and a new one starts",
        sign_up(),
        sign_in(jar="b"),
        post("/revoke-sessions", {}),
        whoami(),
        whoami(jar="b"),
        sign_in(),
        whoami(),
    ),
    *everywhere(
        STORES,
        "the user is updated",
        sign_up(),
        sign_in(jar="b"),
        post("/update-user", {"name": "Änn", "image": 'https://example.com/a?b="c"'}),
        whoami(jar="b"),
    ),
    *everywhere(
        STORES,
        "the password is changed",
        sign_up(),
        sign_in(jar="b"),
        post(
            "/change-password",
            {"currentPassword": "password123", "newPassword": "password456", "revokeOtherSessions": True},
        ),
        whoami(),
        whoami(jar="b"),
    ),
    *everywhere(
        STORES,
        "a password is asked for",
        sign_up(),
        post("/request-password-reset", {"email": "ann@example.com"}, jar="z"),
    ),
    *everywhere(
        STORES,
        "a password is reset",
        sign_up(),
        post("/request-password-reset", {"email": "ann@example.com", "redirectTo": "/r"}, jar="z"),
        get(Mail("reset-password", "url"), jar="z"),
        *[
            post("/reset-password", {"newPassword": "another-password", "token": Mail("reset-password")}, label=label)
            for label in ("right", "again")
        ],
        get(Mail("reset-password", "url"), jar="z", label="late"),
    ),
    *everywhere(STORES, "a user asks to be deleted", sign_up(), post("/delete-user", {})),
    *everywhere(
        STORES,
        "a user is deleted",
        sign_up(),
        post("/delete-user", {}),
        post("/delete-user", {"token": "wrong"}, label="wrong"),
        post("/delete-user", {"token": Mail("delete-account")}, label="right"),
        whoami(),
    ),
    *everywhere(LIMITERS, "five times /sign-in/email", *times(5, sign_in("x@example.com"), 41)),
    *everywhere(LIMITERS, "two clients", *times(4, sign_in(), 42), *times(1, sign_in(), 43), *times(2, get("/ok"), 42)),
]
