"""Options that change routing, cookies and lifetimes."""

from parity.scenario import (
    HeldValue,
    Replace,
    Scenario,
    forged,
    get,
    post,
    scenario,
    shift,
    sign_in,
    sign_up,
    signed_before,
    whoami,
)
from parity.servers import ORIGIN, SECURE_ORIGIN

ADDRESSES: list[dict[str, str | None]] = [
    {"x-forwarded-for": "203.0.113.9"},
    {"x-forwarded-for": "203.0.113.9, 10.1.2.3"},
    {"x-forwarded-for": "198.51.100.1, 203.0.113.9, 10.1.2.3, 127.0.0.1"},
    {"x-forwarded-for": "198.51.100.1, 192.0.2.1"},
    {"x-forwarded-for": "10.1.2.3"},
    {"x-forwarded-for": "garbage, 10.1.2.3"},
    {"x-forwarded-for": "::ffff:203.0.113.9"},
    {"x-forwarded-for": "2001:DB8::1"},
    {"x-client-ip": "203.0.113.10", "x-forwarded-for": "203.0.113.9"},
    {"x-client-ip": "garbage", "x-forwarded-for": "203.0.113.9"},
    {"x-client-ip": "203.0.113.10", "x-forwarded-for": None},
]

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
    *[
        scenario(
            f"a session comes and goes, {name}",
            sign_up(),
            whoami(),
            sign_in(rememberMe=False, jar="b"),
            whoami(jar="b"),
            post("/update-user", {"name": "y" * 9000}),
            whoami(label="big"),
            post("/sign-out"),
            whoami(label="gone"),
            on=name,
        )
        for name in ("named cookies", "plain cookies", "secure cookies")
    ],
    scenario(
        "cookies of other names are not read",
        sign_up(),
        whoami(headers={"cookie": HeldValue("sid", "a", "acme.session_token={}")}, jar="b"),
        whoami(headers={"cookie": HeldValue("sid", "a", "__Secure-acme.session_token={}")}, jar="b", label="prefixed"),
        whoami(headers={"cookie": HeldValue("sid", "a", "sid={}")}, jar="b", label="plain"),
        whoami(headers={"cookie": HeldValue("sid", "a", "__Secure-sid={}")}, jar="b", label="its own"),
        on="named cookies",
    ),
    scenario(
        "secrets are replaced",
        sign_up(),
        Replace("session_token", forged),
        whoami(label="signed by nobody"),
        sign_in(),
        Replace("session_token", signed_before),
        whoami(label="signed by the older secret"),
        on="several secrets",
    ),
    *[
        scenario(
            f"whose address, {name}",
            *[
                sign_up(f"{number}@example.com", headers=dict(headers), label=str(headers), jar=str(number))
                for number, headers in enumerate(ADDRESSES)
            ],
            *[
                call
                for _ in range(3)
                for call in (
                    sign_in(headers={"x-forwarded-for": "2001:db8:0:1::1"}, label="one network"),
                    sign_in(headers={"x-forwarded-for": "2001:db8:0:2::2"}, label="a neighbour"),
                    sign_in(headers={"x-forwarded-for": "2001:db8:1:1::1"}, label="another network"),
                )
            ],
            on=name,
        )
        for name in ("behind proxies", "without addresses")
    ],
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
