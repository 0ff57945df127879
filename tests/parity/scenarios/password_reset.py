"""A new password for who forgot the old one."""

from parity.scenario import Forged, Mail, Statement, fill, get, post, scenario, shift, sign_in, sign_up, whoami

ASK = {"email": "ann@example.com"}
TOKEN = Mail("reset-password")
WRONG: tuple[object, ...] = (None, 1, True, [], {}, "")
PLACES = (
    "/r",
    "/r?a=b&c=d#part",
    "/r?token=theirs&error=theirs",
    "/r?q=%20x~y*z&empty=&none",
    "/a/../b",
    "/a b",
    "/ünï",
    "https://x.example.com",
    "https://x.example.com/deep?x=1",
    "myapp://open",
    "myapp://open?x=1",
    "myapp://",
    "MYAPP://Open",
    "/?",
    "/r?#",
    "/r ",
    "/a/..//evil.test",
    "/.//evil.test",
    "/%2e%2E//evil.test/./x/..",
    "https://X.example.com:443/A/../b",
    "https://exact.example.org//x?é=ü#ö",
    "",
)
HOSTILE = (
    "https://evil.test",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/%2Fevil.test",
    "/%5cevil.test",
    "javascript:alert(1)",
    "https://evil.test@x.example.com",
    "https://x.example.com.evil.test",
    "http://x.example.com",
    "data:text/html,x",
    "/\nevil",
    "dash",
)


def ask(redirect_to: object = None, **fields: object) -> object:
    return {**ASK, **({} if redirect_to is None else {"redirectTo": redirect_to}), **fields}


def reset(password: str = "another-password", token: object = TOKEN, **fields: object) -> object:
    return {"newPassword": password, "token": token, **fields}


def encoded(url: str) -> str:
    return "".join(f"%{byte:02X}" for byte in url.encode())


PASSWORD_RESET = [
    scenario(
        "a forgotten password",
        sign_up(),
        post("/request-password-reset", ask("/reset?from=mail"), jar="z"),
        get(Mail("reset-password", "url"), jar="z"),
        post("/reset-password", reset("short"), jar="z", label="too short"),
        post("/reset-password", reset("x" * 129), jar="z", label="too long"),
        post("/reset-password", reset(), jar="z", label="right"),
        post("/reset-password", reset(), jar="z", label="again"),
        get(Mail("reset-password", "url"), jar="z", label="the link again"),
        sign_in(jar="y"),
        sign_in(password="another-password", jar="x"),
        whoami(),
        on="mails",
    ),
    scenario(
        "every session ends",
        sign_up(),
        fill("user", "emailVerified", True),
        sign_in(),
        sign_in(jar="b"),
        post("/request-password-reset", ask(), jar="z"),
        post("/reset-password", reset(), jar="z", label="reset"),
        whoami(query="?disableCookieCache=true"),
        whoami(query="?disableCookieCache=true", jar="b"),
        on="proven",
    ),
    scenario(
        "an unknown address",
        sign_up(),
        post("/request-password-reset", {"email": "nobody@example.com", "redirectTo": "/r"}, jar="z"),
        post("/request-password-reset", {"email": "ANN@Example.com"}, jar="z"),
        on="mails",
    ),
    scenario(
        "the token in the query",
        sign_up(),
        post("/request-password-reset", ASK, jar="z"),
        post(Mail("reset-password", template="/reset-password?token={}"), reset(token="wrong"), jar="z", label="two"),
        post(Mail("reset-password", template="/reset-password?token={}"), reset(token=""), jar="z", label="empty"),
        post("/request-password-reset", ASK, jar="z", label="once more"),
        post(
            Mail("reset-password", template="/reset-password?token={}"),
            {"newPassword": "another-password"},
            jar="z",
            label="one",
        ),
        on="mails",
    ),
    scenario(
        "two tokens at once",
        sign_up(),
        post("/request-password-reset", ASK, jar="z"),
        post("/request-password-reset", ask("/r"), jar="z", label="second"),
        post("/reset-password", reset(), jar="z"),
        on="mails",
    ),
    scenario(
        "no password so far",
        sign_up(),
        Statement("delete from account"),
        post("/request-password-reset", ASK, jar="z"),
        post("/reset-password", reset(), jar="z"),
        sign_in(password="another-password", jar="y"),
        on="mails",
    ),
    scenario(
        "an expired token",
        sign_up(),
        post("/request-password-reset", ask("/r"), jar="z"),
        shift("verification", "expiresAt", -3601),
        get(Mail("reset-password", "url"), jar="z"),
        post("/reset-password", reset(), jar="z"),
        # Upstream deletes what is over some time later.
        Statement("delete from verification"),
        sign_in(),
        on="mails",
    ),
    scenario(
        "the user is gone",
        sign_up(),
        post("/request-password-reset", ASK, jar="z"),
        Statement('delete from "user"'),
        post("/reset-password", reset(), jar="z"),
        on="mails",
    ),
    *[
        scenario(
            f"back to {place}",
            sign_up(),
            post("/request-password-reset", ask(place), jar="z"),
            get(Mail("reset-password", "url"), jar="z", label="the link"),
            get(f"/reset-password/wrong?callbackURL={encoded(place)}", jar="z", label="wrong"),
            get(
                Mail("reset-password", template="/reset-password/{}?callbackURL=" + encoded(place)),
                jar="z",
                label="another page",
            ),
            on="mails",
        )
        for place in PLACES
    ],
    *[
        scenario(
            f"never back to {place!r}",
            sign_up(),
            post("/request-password-reset", ask(place), jar="z"),
            get(f"/reset-password/wrong?callbackURL={encoded(place)}", jar="z", label="wrong"),
            on="mails",
        )
        for place in HOSTILE
    ],
    scenario(
        "what is no token",
        sign_up(),
        *[get(f"/reset-password/{each}?callbackURL=/r", jar="z") for each in ("x", "%20", "a.b", "'", "%C3%BC", "..")],
        get("/reset-password/x", jar="z"),
        get("/reset-password?callbackURL=/r", jar="z"),
        post("/reset-password/x", {}, jar="z"),
        *[post("/reset-password", reset(token=each), jar="z", label=f"token {each}") for each in (*WRONG, "x")],
        post("/reset-password", reset("short", token="x"), jar="z", label="short, too"),
        post("/reset-password", {"newPassword": "short"}, jar="z", label="short without"),
        post("/reset-password", {}, jar="z", label="nothing"),
        post("/reset-password", jar="z", label="no body"),
        on="mails",
    ),
    *[
        scenario(
            f"{field} of another kind",
            sign_up(),
            *[
                post("/request-password-reset", {"redirectTo": "/r", **ASK, field: value}, jar="z", label=f"{value!r}")
                for value in (*WRONG, "nonsense")
            ],
            on="mails",
        )
        for field in ("email", "redirectTo")
    ],
    scenario(
        "new passwords of another kind",
        *[post("/reset-password", {"newPassword": value, "token": "x"}, label=f"{value!r}") for value in WRONG],
        on="mails",
    ),
    scenario("nothing to ask for", post("/request-password-reset", {}), post("/request-password-reset"), on="mails"),
    scenario(
        "nobody mails",
        sign_up(),
        post("/request-password-reset", ASK),
        post("/request-password-reset", {"email": "x"}),
        post("/request-password-reset", ask("https://evil.test"), label="hostile"),
        get("/reset-password/x?callbackURL=/r"),
        post("/reset-password", reset(token="x")),
    ),
    scenario(
        "another kind of token",
        sign_up(),
        post("/reset-password", reset(token=Forged({"email": "ann@example.com", "exp": 60})), label="of a link"),
        post("/delete-user", {}, label="delete"),
        post("/reset-password", reset(token=Mail("delete-account")), label="of a deletion"),
        on="mails",
    ),
]
