"""Sign-in by links in mails: who comes, where they go, and what a link is worth afterwards."""

from typing import Any

from parity.scenario import (
    Call,
    Code,
    Insert,
    Mail,
    Moment,
    Step,
    call,
    fill,
    get,
    post,
    scenario,
    shift,
    sign_in,
    sign_up,
    whoami,
)
from parity.scenarios.password_reset import HOSTILE, PLACES, WRONG, encoded
from parity.scenarios.rate_limits import times
from parity.servers import ORIGIN

ANN = {"email": "ann@example.com"}
LINK = Mail("magic-link", "url")
AS_JSON = Mail("magic-link", template="/magic-link/verify?token={}")
FORGED: dict[str, str] = {
    "no JSON": "ann@example.com",
    "an address alone": '"ann@example.com"',
    "of another kind": '{"type":"state","email":"ann@example.com"}',
    "of no kind": '{"email":"ann@example.com"}',
    "without an address": '{"type":"magic-link"}',
    "with an address that is none": '{"type":"magic-link","email":"ann"}',
    "with more than that": '{"type":"magic-link","email":"ann@example.com","admin":true}',
    "with another name": '{"type":"magic-link","email":"ann@example.com","name":1}',
    "with a name that is null": '{"type":"magic-link","email":"ann@example.com","name":null}',
    "of capitals": '{"type":"magic-link","email":"ANN@example.com","name":"Ann"}',
    "nothing": "null",
}


def ask(label: str = "", **fields: Any) -> Call:
    """Ask for a link from a browser that does nothing else."""
    return post("/sign-in/magic-link", {**ANN, **fields}, jar="z", label=label)


def planted(identifier: str, value: str) -> Insert:
    """Put a row where links are remembered."""
    dates = {"expiresAt": Moment(3600), "createdAt": Moment(), "updatedAt": Moment()}
    return Insert("verification", {"id": "planted", "identifier": identifier, "value": value, **dates})


CHALLENGED: tuple[Step, ...] = (
    sign_up(),
    fill("user", "emailVerified", True),
    post("/two-factor/enable", {"password": "password123"}, label="enable"),
    post("/two-factor/verify-totp", {"code": Code("enable", -1)}, label="confirm"),
)

MAGIC_LINK = [
    scenario(
        "a new user comes",
        ask(name="Ann"),
        get(AS_JSON),
        whoami(),
        get(AS_JSON, jar="b", label="again"),
        whoami(jar="b"),
        on="links",
    ),
    scenario("a new user without a name", ask(), get(LINK), whoami(), on="links"),
    scenario(
        "a user whose address is proven",
        sign_up(name="Known"),
        fill("user", "emailVerified", True),
        ask(name="Other", callbackURL="/home", newUserCallbackURL="/welcome"),
        get(LINK, jar="b"),
        whoami(jar="b"),
        whoami(),
        sign_in(jar="c"),
        on="links",
    ),
    scenario(
        "a user whose address is not proven",
        sign_up(name="Attacker"),
        ask(callbackURL="/home"),
        get(LINK, jar="b"),
        whoami(jar="b"),
        whoami("?disableCookieCache=true"),
        sign_in(jar="c"),
        on="links",
    ),
    scenario(
        "an address in other letters",
        post("/sign-in/magic-link", {"email": "ANN@Example.com"}, jar="z"),
        get(AS_JSON),
        ask(),
        get(AS_JSON, jar="b"),
        on="links",
    ),
    scenario(
        "everywhere to go",
        ask(name="Ann", callbackURL="/home", newUserCallbackURL="/welcome?a=b", errorCallbackURL="/oops?c=d"),
        get(LINK, label="new"),
        get(LINK, jar="b", label="used"),
        ask(callbackURL="/home", newUserCallbackURL="/welcome?a=b", errorCallbackURL="/oops?c=d"),
        get(LINK, jar="b", label="known"),
        on="links",
    ),
    scenario(
        "only some places to go",
        ask(newUserCallbackURL="/welcome"),
        get(LINK, label="new"),
        get(LINK, label="used"),
        ask(errorCallbackURL="/oops"),
        get(LINK, label="known"),
        get(LINK, label="used again"),
        get("/magic-link/verify?token=x&newUserCallbackURL=/welcome", label="a wrong one"),
        get("/magic-link/verify?token=x&errorCallbackURL=/oops&callbackURL=/home", label="another"),
        on="links",
    ),
    *[
        scenario(
            f"on to {place}",
            post("/sign-in/magic-link", {**ANN, "callbackURL": place, "errorCallbackURL": place}, jar="z"),
            get(LINK, label="new"),
            get(LINK, jar="b", label="used"),
            ask(callbackURL="/x", newUserCallbackURL=place),
            get(f"/magic-link/verify?token=x&errorCallbackURL={encoded(place)}", label="wrong"),
            on="links",
        )
        for place in PLACES
    ],
    *[
        scenario(
            f"never on to {place!r}",
            *[
                step
                for field in ("callbackURL", "newUserCallbackURL", "errorCallbackURL")
                for step in (
                    ask(f"{field} in the body", **{field: place}),
                    get(f"/magic-link/verify?token=x&{field}={encoded(place)}", label=f"{field} in the query"),
                )
            ],
            on="links",
        )
        for place in HOSTILE
    ],
    *[
        scenario(
            f"{field} of another kind",
            *[ask(f"{value!r}", **{field: value}) for value in (*WRONG, "nonsense")],
            on="links",
        )
        for field in ("email", "name", "callbackURL", "newUserCallbackURL", "errorCallbackURL", "metadata")
    ],
    scenario(
        "what is no body",
        post("/sign-in/magic-link"),
        post("/sign-in/magic-link", {}, label="empty"),
        post(
            "/sign-in/magic-link", b"email=ann%40example.com", media="application/x-www-form-urlencoded", label="form"
        ),
        get("/sign-in/magic-link"),
        on="links",
    ),
    scenario(
        "more for the mail",
        ask(metadata={"theme": "dark", "deep": {"list": [1, None, "ü"]}}),
        ask(metadata={}),
        on="links",
    ),
    scenario("names in other scripts", ask(name='Ünï 🔐 " \\'), get(AS_JSON), on="links"),
    scenario(
        "what is no link",
        *[get(f"/magic-link/verify?token={each}") for each in ("", "x", "%00", "magic-link:x", "%F0%9F%94%90")],
        get("/magic-link/verify"),
        get("/magic-link/verify?callbackURL=/x"),
        call("HEAD", "/magic-link/verify?token=x"),
        call("POST", "/magic-link/verify?token=x"),
        on="links",
    ),
    scenario(
        "a parameter twice",
        ask(),
        *[
            get(Mail("magic-link", template=f"/magic-link/verify?{query}"), label=query)
            for query in ("token=x&token={}", "token={}&token=x", "token={}&callbackURL=/a&callbackURL=/b")
        ],
        get("/magic-link/verify?token=x&callbackURL=https://evil.test&callbackURL=/a", label="an evil one first"),
        get("/magic-link/verify?token=x&x=1&x=2", label="an unknown one"),
        post("/sign-in/magic-link?callbackURL=https://evil.test&callbackURL=/a", ANN, jar="z", label="when asking"),
        get("/verify-email?token=x&token=y&callbackURL=/a&callbackURL=/b", label="of another link"),
        whoami("?disableCookieCache=true&disableCookieCache=false"),
        get(AS_JSON),
        on="links",
    ),
    scenario(
        "a scanner looks at the head only",
        ask(),
        Call(method="HEAD", path=LINK, jar="s"),
        Call(method="OPTIONS", path=LINK, jar="s", label="OPTIONS"),
        get(AS_JSON),
        on="links",
    ),
    scenario(
        "too late", ask(), shift("verification", "expiresAt", -301), get(LINK), get(LINK, label="again"), on="links"
    ),
    scenario("in time", ask(), shift("verification", "expiresAt", -290), get(LINK), on="links"),
    scenario(
        "two links",
        ask(),
        get(AS_JSON, label="one"),
        ask(),
        ask(),
        get(AS_JSON, jar="b", label="two"),
        on="links",
    ),
    *[
        scenario(
            f"a row {name}",
            planted("magic-link:planted", value),
            get("/magic-link/verify?token=planted"),
            get("/magic-link/verify?token=planted&callbackURL=/x", label="to a page"),
            on="links",
        )
        for name, value in FORGED.items()
    ],
    scenario(
        "tokens that are for something else",
        sign_up(),
        post("/request-password-reset", ANN, jar="z"),
        get(Mail("reset-password", template="/magic-link/verify?token={}"), label="a reset"),
        get(Mail("reset-password", template="/magic-link/verify?token=reset-password:{}"), label="a reset by name"),
        post("/send-verification-email", ANN, jar="z"),
        get(Mail("verification", template="/magic-link/verify?token={}"), label="a proof"),
        ask(),
        get(Mail("magic-link", template="/verify-email?token={}"), label="a link as a proof"),
        post("/reset-password", {"newPassword": "another-password", "token": Mail("magic-link")}, label="as a reset"),
        post(
            "/reset-password",
            {"newPassword": "another-password", "token": Mail("magic-link", template="magic-link:{}")},
            label="as a reset by name",
        ),
        get(AS_JSON, label="as what it is"),
        on="links",
    ),
    scenario(
        "an application that says no",
        post("/sign-in/magic-link", {"email": "refused@example.com", "callbackURL": "/x"}, jar="z"),
        get(LINK),
        get(LINK, label="again"),
        post(
            "/sign-in/magic-link", {"email": "terse@example.com", "errorCallbackURL": "/no"}, jar="z", label="tersely"
        ),
        get(LINK, label="without words"),
        post("/sign-in/magic-link", {"email": "broken@example.com"}, jar="z", label="brokenly"),
        get(LINK, label="a directory that is down"),
        on="links",
    ),
    scenario(
        "over somebody else",
        sign_up("bob@example.com"),
        ask(),
        get(LINK),
        whoami(),
        on="links",
    ),
    scenario(
        "where nobody is to be remembered",
        sign_up("bob@example.com"),
        sign_in("bob@example.com", rememberMe=False),
        ask(),
        get(AS_JSON),
        on="links",
    ),
    scenario(
        "senders",
        *[
            post("/sign-in/magic-link", ANN, headers=headers, label=str(headers), jar="z")
            for headers in (
                {"origin": None},
                {"origin": "https://evil.test"},
                {"origin": None, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
                {"origin": None, "sec-fetch-mode": "cors"},
                {"origin": ORIGIN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
            )
        ],
        on="links",
    ),
    scenario(
        "from another page",
        ask(callbackURL="/home"),
        get(LINK, headers={"origin": None, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),
        on="links",
    ),
    scenario(
        "nobody becomes a user",
        ask(callbackURL="/home"),
        get(LINK),
        get(LINK, label="again"),
        ask(errorCallbackURL="/oops"),
        get(LINK, label="elsewhere"),
        sign_up(),
        ask(),
        get(LINK, label="a user", jar="b"),
        whoami(jar="b"),
        on="closed links",
    ),
    scenario(
        "the stored form opens nothing",
        sign_up(),
        ask(),
        get(Mail("magic-link", template="/magic-link/verify?token={}", change=lambda token: token[::-1])),
        on="closed links",
    ),
    scenario("an hour", ask(), shift("verification", "expiresAt", -3500), get(LINK), on="closed links"),
    scenario(
        "tokens of one's own",
        ask(name="Ann"),
        get("/magic-link/verify?token=moc.elpmaxe@nna-fo-nekot", label="as it is stored"),
        get("/magic-link/verify?token=token-of-ann@example.com", jar="b"),
        get("/magic-link/verify?token=token-of-ann@example.com", jar="c", label="again"),
        whoami(jar="b"),
        on="own links",
    ),
    scenario(
        "the newest of two that are alike",
        ask(name="First"),
        ask(name="Second"),
        get("/magic-link/verify?token=token-of-ann@example.com"),
        get("/magic-link/verify?token=token-of-ann@example.com", jar="b", label="again"),
        on="own links",
    ),
    scenario(
        "a second factor",
        *CHALLENGED,
        ask(callbackURL="/home"),
        get(LINK, jar="b", label="to a page"),
        ask(),
        get(AS_JSON, jar="b", label="as JSON"),
        whoami(jar="b"),
        on="closed links",
    ),
    scenario("a column that no link can fill", ask(), get(LINK), get(LINK, label="again"), on="links and fields"),
    scenario(
        "a user with more columns",
        sign_up(plan="pro", nickname="annie", tags=["a"]),
        fill("user", "emailVerified", True),
        ask(callbackURL="/x"),
        get(LINK, jar="b"),
        whoami(jar="b"),
        on="links and fields",
    ),
    scenario("six times", *times(6, post("/sign-in/magic-link", ANN), 61), on="limited links"),
    scenario("six wrong links", *times(6, get("/magic-link/verify?token=x"), 62), on="limited links"),
]
