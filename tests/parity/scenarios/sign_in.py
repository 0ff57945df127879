"""Sign-in with email and password, and sign-out."""

from parity.scenario import Forget, Held, Statement, get, post, scenario, sign_in, sign_up, whoami
from parity.scenarios.sign_up import EMAILS

WRONG: tuple[object, ...] = (None, 1, True, [], {}, "")
ODD: tuple[object, ...] = (None, 1, [], "x", True)

SIGN_IN = [
    scenario("a user signs in", sign_up(jar="b"), sign_in(), whoami(), get("/list-sessions")),
    scenario("a wrong password", sign_up(), sign_in(password="password124", jar="b"), whoami(jar="b")),
    scenario("an unknown address", sign_in("nobody@example.com"), sign_in("ann@EXAMPLE.com")),
    scenario("a password with spaces around", sign_up(), sign_in(password=" password123 ", jar="b")),
    scenario(
        "an empty or long password", sign_up(), sign_in(password="", jar="b"), sign_in(password="x" * 9000, jar="b")
    ),
    scenario("do not remember me", sign_up(jar="b"), sign_in(rememberMe=False), whoami(), post("/sign-out"), whoami()),
    scenario("remember me after not", sign_up(jar="b"), sign_in(rememberMe=False), sign_in(rememberMe=True), whoami()),
    scenario(
        "remember me in other words", sign_up(jar="b"), *[sign_in(rememberMe=value) for value in (*WRONG, "false", 0)]
    ),
    scenario("with a callback address", sign_up(jar="b"), sign_in(callbackURL="/home?x=1"), sign_in(callbackURL="")),
    scenario(
        "with a trusted address",
        sign_up(jar="b"),
        sign_in(callbackURL="https://app.example.com/x"),
        sign_in(callbackURL="/ünï x"),
    ),
    scenario("with a hostile address", sign_up(jar="b"), sign_in(callbackURL="https://evil.test/x"), whoami()),
    *[
        scenario(
            f"{field} of another kind",
            *[
                post("/sign-in/email", {"email": "ann@example.com", "password": "password123", field: value})
                for value in WRONG
            ],
            post("/sign-in/email", {({"email": "password", "password": "email"})[field]: "x"}, label="missing"),
        )
        for field in ("email", "password")
    ],
    scenario("nothing at all", post("/sign-in/email", {})),
    scenario("addresses", *[sign_in(email, label=repr(email)) for email in EMAILS]),
    scenario(
        "an account without a password", sign_up(), Statement("update account set password = null"), sign_in(jar="b")
    ),
    scenario("a user without an account", sign_up(), Statement("delete from account"), sign_in(jar="b")),
    scenario("an unreadable hash", sign_up(), Statement("update account set password = 'x'"), sign_in(jar="b")),
    scenario("while signed in", sign_up(), sign_in(), whoami(), get("/list-sessions")),
    scenario("sign-out", sign_up(), post("/sign-out"), whoami(), post("/sign-out")),
    scenario(
        "sign-out with a body", sign_up(), post("/sign-out", {}), post("/sign-out", {"callbackURL": "/x", "unknown": 1})
    ),
    scenario(
        "sign-out that asks for a redirect",
        sign_up(),
        post("/sign-out", {"callbackURL": "/bye", "disableRedirect": False, "state": "s"}),
        post("/sign-out", {"callbackURL": 1, "disableRedirect": "x", "state": 2}),
        *[post("/sign-out", {field: value}) for field in ("disableRedirect", "state") for value in ODD],
    ),
    scenario("sign-out ends this session only", sign_up(), sign_in(jar="b"), post("/sign-out"), whoami(jar="b")),
    scenario(
        "sign-out with a cookie that nobody signed",
        post("/sign-out", headers={"cookie": "better-auth.session_token=x.y"}),
    ),
    scenario(
        "sign-out without the remember cookie", sign_up(rememberMe=False), Forget("dont_remember"), post("/sign-out")
    ),
    scenario(
        "the old cookie after sign-out",
        sign_up(),
        sign_in(),
        post("/sign-out", headers={"cookie": Held()}, jar="b"),
        whoami(),
    ),
]
