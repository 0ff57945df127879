"""Another address for a user."""

from parity.scenario import Forged, Mail, call, fill, get, post, reply, scenario, shift, sign_in, sign_up, whoami
from parity.scenarios.password_reset import HOSTILE, WRONG

NEW = {"newEmail": "New@Example.com"}
PROVEN = fill("user", "emailVerified", True)
ROWS = whoami("?disableCookieCache=true", label="who am I")
USER_ID = reply("me", "session", "userId")
CONFIRM = Mail("change-email-confirmation", "url")
VERIFY = Mail("verification", "url")
AS_JSON = Mail("verification", template="/verify-email?token={}")


def change(**fields: object) -> object:
    return {**NEW, **fields}


CHANGE_EMAIL = [
    scenario(
        "an unproven address",
        sign_up(),
        post("/change-email", change(callbackURL="/c?x=1")),
        whoami(),
        get(VERIFY),
        whoami(),
        get(AS_JSON, label="again"),
        sign_in("new@example.com", jar="y"),
        on="mails",
    ),
    scenario("as JSON", sign_up(), post("/change-email", NEW), get(AS_JSON), whoami(), on="mails"),
    scenario("without a session", sign_up(), post("/change-email", NEW), get(AS_JSON, jar="z"), whoami(), on="mails"),
    scenario(
        "a proven address is asked first",
        sign_up(),
        PROVEN,
        post("/change-email", change(callbackURL="/c")),
        get(CONFIRM),
        get(CONFIRM, jar="z", label="without a session"),
        get(Mail("change-email-confirmation", template="/verify-email?token={}"), label="as JSON"),
        whoami(),
        get(VERIFY),
        whoami(),
        get(CONFIRM, label="confirmed too late"),
        get(VERIFY, label="verified twice"),
        on="mails",
    ),
    scenario(
        "a proven address and nobody to ask it",
        sign_up(),
        PROVEN,
        sign_in(),
        post("/change-email", NEW),
        get(AS_JSON),
        ROWS,
        on="quiet",
    ),
    scenario(
        "at once",
        sign_up(),
        sign_in(),
        post("/change-email", change(callbackURL="/c")),
        whoami(),
        get(VERIFY),
        whoami(),
        sign_in("new@example.com", jar="y"),
        on="quiet",
    ),
    scenario(
        "at once, not remembered",
        sign_up(),
        sign_in(rememberMe=False),
        post("/change-email", NEW),
        on="quiet",
    ),
    scenario(
        "at once, to a taken address",
        sign_up(),
        sign_up("new@example.com", jar="b"),
        sign_in(),
        post("/change-email", NEW),
        whoami(),
        on="quiet",
    ),
    scenario(
        "to a taken address", sign_up(), sign_up("new@example.com", jar="b"), post("/change-email", NEW), on="mails"
    ),
    scenario(
        "to a taken address, from a proven one",
        sign_up(),
        sign_up("new@example.com", jar="b"),
        PROVEN,
        post("/change-email", NEW),
        on="mails",
    ),
    scenario(
        "the taken address by an old link",
        sign_up(),
        whoami(label="me"),
        sign_up("new@example.com", jar="b"),
        get(
            Forged(
                {
                    "email": "ann@example.com",
                    "updateTo": "new@example.com",
                    "requestType": "change-email-verification",
                    "userId": USER_ID,
                    "exp": 60,
                },
                "/verify-email?token={}",
            ),
            jar="z",
            label="link",
        ),
        on="mails",
    ),
    scenario(
        "somebody else is signed in",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/change-email", change(callbackURL="/c")),
        get(VERIFY, jar="b"),
        get(AS_JSON, jar="b", label="as JSON"),
        PROVEN,
        post("/change-email", change(newEmail="newer@example.com"), label="proven"),
        get(CONFIRM, jar="b", label="confirmation"),
        get(Mail("change-email-confirmation", template="/verify-email?token={}"), jar="b", label="as JSON, too"),
        whoami(),
        on="mails",
    ),
    scenario(
        "two changes at once",
        sign_up(),
        post("/change-email", NEW),
        get(AS_JSON, label="first"),
        post("/change-email", {"newEmail": "newer@example.com"}, label="second"),
        get(AS_JSON, jar="z", label="followed"),
        whoami(),
        on="mails",
    ),
    scenario(
        "the same address",
        sign_up(),
        post("/change-email", {"newEmail": "ann@example.com"}),
        post("/change-email", {"newEmail": "ANN@Example.com"}),
        on="mails",
    ),
    scenario(
        "switched off", sign_up(), post("/change-email", NEW), post("/change-email", {"newEmail": "ann@example.com"})
    ),
    scenario(
        "nobody mails",
        sign_up(),
        PROVEN,
        sign_in(),
        post("/change-email", NEW),
        post("/change-email", {"newEmail": "ann@example.com"}),
        on="mute",
    ),
    scenario("nobody is signed in", post("/change-email", NEW), post("/change-email", {}), on="mails"),
    scenario(
        "a session that is not fresh",
        sign_up(),
        shift("session", "createdAt", -2 * 86400),
        post("/change-email", NEW),
        on="mails",
    ),
    *[
        scenario(
            f"{field} of another kind",
            sign_up(),
            *[post("/change-email", change(**{field: value}), label=f"{value!r}") for value in (*WRONG, "nonsense")],
            post("/change-email", label="nothing"),
            on="mails",
        )
        for field in ("newEmail", "callbackURL")
    ],
    scenario(
        "never back to",
        sign_up(),
        *[post("/change-email", change(callbackURL=place), label=place) for place in HOSTILE],
        on="mails",
    ),
    scenario(
        "other verbs",
        sign_up(),
        *[
            call(verb, path, body={})
            for verb in ("PUT", "PATCH")
            for path in ("/change-email", "/update-user", "/change-password")
        ],
        on="mails",
    ),
]
