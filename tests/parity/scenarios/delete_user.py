"""The end of a user."""

from parity.scenario import Mail, Statement, fill, get, post, scenario, shift, sign_in, sign_up, whoami
from parity.scenarios.password_reset import HOSTILE, PLACES, WRONG, encoded

STALE = shift("session", "createdAt", -2 * 86400)
LINK = Mail("delete-account", "url")
AS_JSON = Mail("delete-account", template="/delete-user/callback?token={}")
PASSWORD = {"password": "password123"}

DELETE_USER = [
    scenario(
        "by a mailed link",
        sign_up(),
        sign_in(jar="b"),
        post("/delete-user", {"callbackURL": "/bye?x=1"}),
        get(LINK, jar="z", label="nobody is signed in"),
        get(LINK),
        whoami(),
        whoami(jar="b"),
        get(LINK, label="again"),
        sign_in(jar="y"),
        on="mails",
    ),
    scenario("by a mailed link, as JSON", sign_up(), post("/delete-user", {}), get(AS_JSON), on="mails"),
    scenario(
        "by a mailed token",
        sign_up(),
        post("/delete-user", {}),
        post("/delete-user", {"token": Mail("delete-account")}, label="token"),
        post("/delete-user", {"token": Mail("delete-account")}, label="again"),
        on="mails",
    ),
    scenario(
        "by a token of somebody else",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/delete-user", {}),
        post("/delete-user", {"token": Mail("delete-account")}, jar="b", label="token"),
        on="mails",
    ),
    scenario(
        "by a link of somebody else",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/delete-user", {}),
        get(LINK, jar="b"),
        whoami(jar="b"),
        on="mails",
    ),
    scenario(
        "an expired token",
        sign_up(),
        post("/delete-user", {}),
        shift("verification", "expiresAt", -86401),
        get(AS_JSON),
        whoami(),
        on="mails",
    ),
    scenario(
        "with a password, then a mail",
        sign_up(),
        STALE,
        post("/delete-user", {}, label="nothing"),
        post("/delete-user", {"password": "wrong"}, label="wrong"),
        post("/delete-user", PASSWORD, label="right"),
        post("/delete-user", {"password": "x" * 200}, label="long"),
        get(AS_JSON),
        on="mails",
    ),
    scenario(
        "at once",
        sign_up(),
        sign_in(),
        sign_in(jar="b"),
        post("/delete-user", {"callbackURL": "/bye"}),
        whoami(),
        whoami(jar="b"),
        on="quiet",
    ),
    scenario("at once, not remembered", sign_up(), sign_in(rememberMe=False), post("/delete-user", {}), on="quiet"),
    scenario(
        "not fresh",
        sign_up(),
        sign_in(),
        STALE,
        post("/delete-user", {}, label="nothing"),
        post("/delete-user", {"password": ""}, label="empty"),
        post("/delete-user", {"password": "wrong"}, label="wrong"),
        post("/delete-user", {"token": "wrong"}, label="token"),
        post("/delete-user", PASSWORD, label="right"),
        on="quiet",
    ),
    scenario(
        "no password",
        sign_up(),
        sign_in(),
        Statement("delete from account"),
        post("/delete-user", PASSWORD, label="password"),
        post("/delete-user", {}),
        on="quiet",
    ),
    scenario(
        "a wrong password and a token", sign_up(), post("/delete-user", {"token": "x", "password": "x"}), on="mails"
    ),
    scenario(
        "switched off",
        sign_up(),
        post("/delete-user", {}),
        post("/delete-user", PASSWORD),
        get("/delete-user/callback?token=x"),
        get("/delete-user/callback?token=x", jar="z", label="nobody"),
        post("/delete-user", {}, jar="z", label="nobody is signed in"),
        post("/delete-user", {"password": 1}, label="odd"),
    ),
    scenario(
        "nobody is signed in",
        post("/delete-user", {}),
        get("/delete-user/callback?token=x"),
        get("/delete-user/callback?token=x&callbackURL=/x"),
        get("/delete-user/callback"),
        on="mails",
    ),
    *[
        scenario(
            f"{field} of another kind",
            sign_up(),
            *[post("/delete-user", {field: value}, label=f"{value!r}") for value in WRONG],
            post("/delete-user", label="nothing"),
            post("/delete-user", [], label="a list"),
            on="mails",
        )
        for field in ("password", "token", "callbackURL")
    ],
    *[
        scenario(
            f"back to {place}",
            sign_up(),
            post("/delete-user", {"callbackURL": place}),
            get(f"/delete-user/callback?token=wrong&callbackURL={encoded(place)}", label="wrong"),
            get(LINK, label="the link"),
            on="mails",
        )
        for place in PLACES
    ],
    scenario(
        "never back to",
        sign_up(),
        *[post("/delete-user", {"callbackURL": place}, label=place) for place in HOSTILE],
        *[
            get(f"/delete-user/callback?token=wrong&callbackURL={encoded(place)}", label=f"link {place}")
            for place in HOSTILE
        ],
        on="mails",
    ),
    scenario(
        "with everything of a plugin",
        sign_up(username="annie"),
        fill("user", "emailVerified", True),
        sign_in(),
        post("/two-factor/enable", PASSWORD),
        post("/delete-user", {}),
        on="plugins",
    ),
]
