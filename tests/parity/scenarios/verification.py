"""Proving an address: links in mails, and who must have followed one."""

from parity.scenario import Forged, Mail, call, fill, get, post, reply, scenario, shift, sign_in, sign_up, whoami
from parity.scenarios.password_reset import HOSTILE, PLACES, WRONG, encoded

ANN = {"email": "ann@example.com"}
LINK = Mail("verification", "url")
USER_ID = reply("me", "session", "userId")
FORGED: dict[str, dict[str, object]] = {
    "good": {**ANN, "userId": USER_ID, "exp": 60},
    "without a user": {**ANN, "exp": 60},
    "of another user": {**ANN, "userId": "another", "exp": 60},
    "of nobody": {"email": "nobody@example.com", "exp": 60},
    "in capitals": {"email": "ANN@example.com", "userId": USER_ID, "exp": 60},
    "expired": {**ANN, "userId": USER_ID, "exp": -60},
    "expired and of nobody": {"email": "nobody@example.com", "exp": -60},
    "of a purpose that is none": {**ANN, "userId": USER_ID, "updateTo": "b@example.com", "exp": 60},
    "of an unknown purpose": {**ANN, "userId": USER_ID, "updateTo": "b@example.com", "requestType": "x", "exp": 60},
    "of a change without a user": {
        **ANN,
        "updateTo": "b@example.com",
        "requestType": "change-email-verification",
        "exp": 60,
    },
    "of a purpose without an address": {
        **ANN,
        "userId": USER_ID,
        "requestType": "change-email-verification",
        "exp": 60,
    },
}
BROKEN: dict[str, dict[str, object]] = {
    "without an address": {"exp": 60},
    "with an address that is none": {"email": "nonsense", "exp": 60},
    "with a number": {"email": 1, "exp": 60},
    "without an end": {**ANN},
    "to a number": {**ANN, "userId": USER_ID, "updateTo": 1, "requestType": "change-email-verification", "exp": 60},
}

VERIFICATION = [
    scenario(
        "an address is proven",
        sign_up(callbackURL="/welcome?x=1"),
        get(LINK, jar="z"),
        whoami(),
        get(LINK, jar="z", label="again"),
        get(Mail("verification", template="/verify-email?token={}"), jar="z", label="as JSON"),
        on="mails",
    ),
    scenario(
        "by the one who is signed in",
        sign_up(),
        get(Mail("verification", template="/verify-email?token={}")),
        whoami(),
        on="mails",
    ),
    scenario(
        "by somebody else who is signed in",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        get(Mail("verification", template="/verify-email?token={}")),
        whoami(),
        whoami(jar="b"),
        on="mails",
    ),
    scenario(
        "the link signs in",
        sign_up(callbackURL="/welcome"),
        sign_in(),
        get(LINK, jar="z"),
        whoami(jar="z"),
        get(LINK, jar="y", label="again"),
        sign_in(jar="x"),
        on="proven",
    ),
    scenario(
        "the link signs in, as JSON",
        sign_up(),
        get(Mail("verification", template="/verify-email?token={}"), jar="z"),
        whoami(jar="z"),
        on="proven",
    ),
    scenario(
        "the link signs in who is signed in",
        sign_up(),
        fill("user", "emailVerified", True),
        sign_in(),
        fill("user", "emailVerified", False),
        get(Mail("verification", template="/verify-email?token={}")),
        whoami(),
        on="proven",
    ),
    scenario(
        "the link signs in over somebody else",
        sign_up("bob@example.com"),
        fill("user", "emailVerified", True),
        sign_in("bob@example.com"),
        sign_up(jar="z"),
        get(Mail("verification", template="/verify-email?token={}")),
        whoami(),
        on="proven",
    ),
    scenario(
        "the link signs in who is not to be remembered",
        sign_up("bob@example.com"),
        fill("user", "emailVerified", True),
        sign_in("bob@example.com", rememberMe=False),
        sign_up(jar="z"),
        get(Mail("verification", template="/verify-email?token={}")),
        on="proven",
    ),
    scenario(
        "nobody signs in before",
        sign_up(callbackURL="/welcome"),
        sign_in(callbackURL="/home"),
        sign_in(password="wrong"),
        post("/sign-in/username", {"username": "ann", "password": "password123"}, label="by name"),
        get(Mail("verification", template="/verify-email?token={}"), jar="z", label="link"),
        sign_in(jar="y"),
        on="proven",
    ),
    scenario(
        "nobody signs in before, by name",
        sign_up(username="annie"),
        post("/sign-in/username", {"username": "annie", "password": "password123"}),
        post("/sign-in/username", {"username": "annie", "password": "password123", "callbackURL": "/h"}, label="there"),
        post("/sign-in/username", {"username": "annie", "password": "wrong"}, label="wrong"),
        on="proven",
    ),
    scenario(
        "nobody mails",
        sign_up(),
        sign_in(),
        sign_in(password="wrong"),
        post("/send-verification-email", ANN),
        on="mute",
    ),
    scenario(
        "a taken address is not told",
        sign_up(),
        sign_up(name="Another", image="https://x.example.com/i.png"),
        sign_up("ANN@example.com", password="another-password"),
        sign_up(password="short"),
        sign_up(callbackURL="/x", rememberMe=False, label="with more"),
        sign_in(),
        on="proven",
    ),
    scenario(
        "a taken address is not told where nobody is signed in",
        sign_up(),
        sign_up(name="Another"),
        whoami(),
        sign_in(),
        on="quiet",
    ),
    scenario(
        "a taken address is not told by a plugin", sign_up(username="annie"), sign_up(username="anna"), on="proven"
    ),
    scenario(
        "asked for by nobody",
        sign_up(),
        *[
            post("/send-verification-email", body, jar="z", label=f"{body}")
            for body in (ANN, {"email": "ANN@example.com", "callbackURL": "/v?x=1"}, {"email": "nobody@example.com"})
        ],
        fill("user", "emailVerified", True),
        post("/send-verification-email", ANN, jar="z"),
        on="mails",
    ),
    scenario(
        "asked for by the one who is signed in",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        *[
            post("/send-verification-email", body, label=f"{body}")
            for body in (
                ANN,
                {"email": "ANN@example.com"},
                {"email": "bob@example.com"},
                {"email": "nobody@example.com"},
            )
        ],
        fill("user", "emailVerified", True),
        post("/send-verification-email", ANN),
        post("/send-verification-email", {"email": "bob@example.com"}),
        on="mails",
    ),
    scenario(
        "not sent by anybody", sign_up(), post("/send-verification-email", ANN), post("/send-verification-email", {})
    ),
    *[
        scenario(
            f"{field} of another kind",
            sign_up(),
            *[
                post("/send-verification-email", {**ANN, field: value}, jar="z", label=f"{value!r}")
                for value in (*WRONG, "nonsense")
            ],
            post("/send-verification-email", jar="z"),
            on="mails",
        )
        for field in ("email", "callbackURL")
    ],
    *[
        scenario(
            f"back to {place}",
            sign_up(),
            post("/send-verification-email", {**ANN, "callbackURL": place}, jar="z"),
            get(LINK, jar="z", label="the link"),
            get(f"/verify-email?token=wrong&callbackURL={encoded(place)}", jar="z", label="wrong"),
            on="mails",
        )
        for place in PLACES
    ],
    *[
        scenario(
            f"never back to {place!r}",
            sign_up(),
            post("/send-verification-email", {**ANN, "callbackURL": place}, jar="z"),
            get(f"/verify-email?token=wrong&callbackURL={encoded(place)}", jar="z", label="wrong"),
            on="mails",
        )
        for place in HOSTILE
    ],
    *[
        scenario(
            f"a token {name}",
            sign_up(),
            whoami(label="me"),
            get(Forged(claims, "/verify-email?token={}"), jar="z", label="as JSON"),
            get(Forged(claims, "/verify-email?token={}&callbackURL=/x"), jar="z", label="to a page"),
            get(Forged(claims, "/verify-email?token={}"), label="signed in"),
            whoami(),
            on="mails",
        )
        for name, claims in {**FORGED, **BROKEN}.items()
    ],
    scenario(
        "what is no token",
        *[get(f"/verify-email?token={each}") for each in ("", "x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.xx", "%00")],
        get("/verify-email"),
        get("/verify-email?callbackURL=/x"),
        call("POST", "/verify-email?token=x", label="POST"),
        on="mails",
    ),
    scenario(
        "an older proof of an address that was left",
        sign_up(),
        whoami(label="me"),
        post("/change-email", {"newEmail": "new@example.com"}),
        get(Forged({**ANN, "userId": USER_ID, "exp": 60}, "/verify-email?token={}"), label="old"),
        whoami(),
        on="quiet",
    ),
    scenario(
        "not fresh and not needed",
        sign_up(),
        shift("session", "createdAt", -2 * 86400),
        get(Mail("verification", template="/verify-email?token={}")),
        on="mails",
    ),
]
