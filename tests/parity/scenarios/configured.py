"""Options that change routing, cookies and lifetimes."""

from parity.scenario import HeldValue, Scenario, get, post, scenario, shift, sign_in, sign_up, whoami
from parity.servers import ORIGIN, SECURE_ORIGIN

CONFIGURED: list[Scenario] = [
    scenario(
        "disabled paths",
        post("/sign-out"),
        post("/sign-out/"),
        get("/sign-out"),
        post("/update-user", {"name": "x"}),
        post("/update-user", b"{"),
        post("/Sign-Out"),
        post("//sign-out"),
        post("/sign-out", headers={"origin": "https://evil.test", "cookie": "a=b"}),
        on="routed",
    ),
    scenario(
        "trailing slashes are skipped",
        *[get(path) for path in ("/ok/", "/ok//", "/ok/?x=1", "/ok", "/get-session/", "/", "/nope/", "//ok/")],
        get("=/api/auth//"),
        on="routed",
    ),
    scenario(
        "no email and password",
        sign_up(),
        sign_in(),
        sign_in("malformed"),
        post("/sign-in/email", {}),
        post("/sign-up/email", {}),
        on="routed",
    ),
    scenario("secure cookies", sign_up(), whoami(), sign_in(rememberMe=False), post("/sign-out"), on="secure"),
    scenario(
        "the plain names are not read",
        sign_up(),
        whoami(headers={"cookie": HeldValue("session_token", "a", "better-auth.session_token={}")}, jar="b"),
        whoami(
            headers={"cookie": HeldValue("session_token", "a", "__Secure-better-auth.session_token={}")},
            jar="b",
            label="secure",
        ),
        whoami(
            headers={"cookie": HeldValue("session_token", "a", "__Host-better-auth.session_token={}")},
            jar="b",
            label="host",
        ),
        on="secure",
    ),
    scenario(
        "the origin of the base URL",
        *[
            sign_up(headers={"origin": origin, "cookie": "a=b"}, label=origin)
            for origin in (ORIGIN, "http://auth.example.test", SECURE_ORIGIN + ":443")
        ],
        sign_in(callbackURL=f"{SECURE_ORIGIN}/home"),
        on="secure",
    ),
    scenario("a big copy in secure cookies", sign_up(name="y" * 9000), whoami(), on="secure"),
    scenario(
        "prolonged on every call",
        sign_up(),
        whoami(),
        get("/list-sessions"),
        post("/update-user", {"name": "x"}),
        on="eager",
    ),
    scenario(
        "fresh for ever", sign_up(), shift("session", "createdAt", -90 * 86400), get("/list-sessions"), on="eager"
    ),
    scenario("not remembered for a day", sign_up(rememberMe=False), whoami(), on="eager"),
]
