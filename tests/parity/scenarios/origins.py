"""Who may send cookies, sign in and be redirected to."""

from parity.scenario import Call, Scenario, get, post, scenario, sign_in, sign_up
from parity.servers import ORIGIN, SECURE_ORIGIN

COOKIE = "better-auth.session_token=x.y"
CREDENTIALS = {"email": "malformed", "password": "password123"}

ORIGIN_VALUES: tuple[str | None, ...] = (
    None,
    "null",
    "",
    ORIGIN,
    "http://LOCALHOST:4000",
    "http://localhost:4000/",
    "http://localhost:4000/path",
    "http://localhost",
    "http://localhost:4001",
    "https://localhost:4000",
    "http://127.0.0.1:4000",
    "http://localhost:3000",
    "https://app.example.com",
    "https://a.b.example.com",
    "https://APP.example.com",
    "https://example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://example.com.evil.test",
    "https://evilexample.com",
    "https://app.example.com@evil.test",
    "https://exact.example.org",
    "https://x.exact.example.org",
    "https://a.trycloudflare.com",
    "https://a.trycloudflare.com/x",
    "myapp://",
    "myapp://home",
    "myapp:/x",
    "myapp:x",
    "myappx://home",
    "http://192.168.0.2:8081",
    "http://192.168.evil.test:8081",
    "http://192.168.0.2.evil.test:8081",
    "exp://192.168.0.2:8081",
    "exps://192.168.0.2:8081",
    "shop://home",
    "shop://Home/x",
    "shop://home.evil",
    "shop:home",
    "bank://home/in",
    "bank://home/in/x?y",
    "bank://home/inside",
    "bank://home/in/../out",
    "bank://home/in/%2e%2e/out",
    "evil",
    "file://",
    "http://",
    "https://evil.test http://localhost:4000",
    "http://localhost:4000.evil.test",
    "chrome-extension://abc",
    SECURE_ORIGIN,
)

FETCH_METADATA: tuple[dict[str, str | None], ...] = (
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},
    {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
    {"sec-fetch-mode": "cors"},
    {"sec-fetch-dest": "empty"},
    {"sec-fetch-site": "Cross-Site", "sec-fetch-mode": "Navigate"},
    {"sec-fetch-site": "", "sec-fetch-mode": ""},
)

URLS = (
    "/",
    "/home",
    "/home?x=1&y=/z",
    "/home#part",
    "/a b",
    "/ünï",
    "/a/../b",
    "/./b",
    "/p@x",
    "/?next=//evil.test",
    "/?next=%2F%2Fevil.test",
    "/a:b",
    "/a%20b",
    "/%41",
    "/é%C3%A9",
    "/a;b,c",
    "/~x_y.z-1",
    "/a+b",
    "/a'b(c)*!",
    '/a"b',
    "/a<b>",
    "/a{b}|c^`",
    "/a[b]",
    "home",
    "",
    " ",
    " /home",
    "/home ",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "/home\\x",
    "/%2Fevil.test",
    "/%2fevil.test",
    "/%5Cevil.test",
    "/a%2Fb",
    "/a?b%2Fc",
    "/a//b",
    "/a\tb",
    "/a\nb",
    "/\t/evil.test",
    "/\x7f",
    "/%09x",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://localhost:4000/x",
    "http://localhost:4000/home",
    "http://localhost:4000",
    "http://LOCALHOST:4000/home",
    "HTTP://localhost:4000/home",
    "http://localhost:4000@evil.test/",
    "http://user:pw@localhost:4000/x",
    "http://localhost:4000.evil.test/",
    "http://localhost:3000/x",
    "http://localhost:3001/x",
    "https://app.example.com/x?y#z",
    "https://example.com/x",
    "https://app.example.com.evil.test/",
    "https://evil.test/?app.example.com",
    "https://evil.test#app.example.com",
    "https://evil.test/.example.com",
    "https://evil.test\\.example.com",
    "https://a.trycloudflare.com/x",
    "https://exact.example.org:443/x",
    "https://exact.example.org:444/x",
    "https:exact.example.org/x",
    "https:/exact.example.org/x",
    "https:///exact.example.org/x",
    "myapp://home",
    "myapp:/x",
    "myapp:home",
    "MyApp://home",
    "otherapp://home",
    "http://192.168.0.2:8081",
    "http://192.168.evil.test:8081",
    "http://192.168.0.2.evil.test:8081",
    "exp://192.168.0.2:8081",
    "exps://192.168.0.2:8081",
    "shop://home",
    "shop://Home/x",
    "shop://home.evil",
    "shop:home",
    "bank://home/in",
    "bank://home/in/x?y",
    "bank://home/inside",
    "bank://home/in/../out",
    "bank://home/in/%2e%2e/out",
    "http://[::1]/",
    "https://evil.test",
    "http:",
    "?x",
    "#x",
    "dash",
)

NOT_TEXT: tuple[object, ...] = (None, 1, True, [], ["/home"], {}, {"a": 1})


SENT: dict[str, dict[str, str | None]] = {
    "without anything": {"origin": None},
    "with a good origin": {},
    "with a bad origin": {"origin": "https://evil.test"},
    "with a null origin and cookies": {"origin": "null", "cookie": COOKIE},
    "with cookies only": {"origin": None, "cookie": COOKIE},
}


def probe(label: str, **headers: str | None) -> Call:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return post("/sign-in/email", CREDENTIALS, headers=sent, label=label)


def _matrix(path: str, body: object) -> Scenario:
    return scenario(
        f"cookies and origins at {path}",
        *[
            post(path, body, headers={"cookie": COOKIE, "origin": value}, label=f"origin {value!r}")
            for value in ORIGIN_VALUES
        ],
    )


def _metadata(path: str, body: object, name: str, headers: dict[str, str | None]) -> Scenario:
    return scenario(
        f"fetch metadata at {path} {name}",
        *[post(path, body, headers={**headers, **sent}, label=f"{sent}") for sent in FETCH_METADATA],
    )


def _urls(label: str, path: str, field: str, body: dict[str, object]) -> Scenario:
    return scenario(
        f"{field} at {label}",
        *[post(path, {**body, field: url}, label=repr(url)) for url in (*URLS, *NOT_TEXT)],
    )


ORIGINS = [
    _matrix("/sign-in/email", CREDENTIALS),
    _matrix("/sign-out", None),
    _matrix("/update-user", {"name": "x"}),
    scenario(
        "origins without cookies",
        *[probe(f"origin {value!r}", origin=value) for value in ORIGIN_VALUES],
    ),
    scenario(
        "origins without cookies where no cookie is made",
        *[
            post("/sign-out", headers={"origin": value}, label=f"origin {value!r}")
            for value in (None, "null", "https://evil.test", ORIGIN)
        ],
    ),
    scenario(
        "the referer stands in for the origin",
        *[
            probe(f"{referer} {cookie}", origin=None, referer=referer, cookie=cookie)
            for cookie in (COOKIE, None)
            for referer in (
                f"{ORIGIN}/page",
                ORIGIN,
                "https://evil.test/x",
                "https://app.example.com/x",
                "null",
                "",
                "nonsense",
                "myapp://x",
            )
        ],
        probe("both", origin="https://evil.test", referer=f"{ORIGIN}/", cookie=COOKIE),
        probe("the other way round", origin=ORIGIN, referer="https://evil.test/", cookie=COOKIE),
        probe("null and a good referer", origin="null", referer=f"{ORIGIN}/", cookie=COOKIE),
    ),
    *[
        _metadata(path, body, name, headers)
        for path, body in (("/sign-in/email", CREDENTIALS), ("/sign-up/email", {}), ("/sign-out", None))
        for name, headers in SENT.items()
    ],
    scenario(
        "a null origin of the same site",
        *[
            post("/sign-out", headers={"cookie": COOKIE, "origin": "null", "sec-fetch-site": site, "host": host})
            for site in ("same-origin", "same-site", "none", "cross-site")
            for host in ("localhost:4000", "evil.test")
        ],
    ),
    scenario(
        "an empty cookie header",
        *[post("/sign-out", headers={"cookie": text, "origin": None}) for text in ("", ";", "a")],
    ),
    scenario(
        "reading needs no origin",
        get("/get-session", headers={"cookie": COOKIE, "origin": "https://evil.test"}),
        get("/list-sessions", headers={"cookie": COOKIE, "origin": None}),
        post("/get-session", headers={"cookie": COOKIE, "origin": None}),
    ),
    scenario(
        "a refused origin signs nobody in or up",
        sign_up(headers={"origin": "https://evil.test"}),
        sign_up(),
        sign_in(headers={"origin": "https://evil.test"}, jar="b"),
    ),
    _urls("sign-in", "/sign-in/email", "callbackURL", {**CREDENTIALS}),
    _urls("sign-up", "/sign-up/email", "callbackURL", {"name": "x", "email": "not an address", "password": "x"}),
    _urls("sign-out", "/sign-out", "callbackURL", {}),
    *[_urls("sign-out", "/sign-out", field, {}) for field in ("redirectTo", "errorCallbackURL", "newUserCallbackURL")],
    scenario(
        "addresses in the query",
        *[
            get(f"/get-session?{field}={url}")
            for field in ("callbackURL", "redirectTo", "errorCallbackURL")
            for url in ("%2Fhome", "https%3A%2F%2Fevil.test", "%2F%2Fevil.test", "")
        ],
        post("/sign-in/email?callbackURL=https%3A%2F%2Fevil.test", CREDENTIALS),
        post("/sign-in/email?callbackURL=https%3A%2F%2Fevil.test", {**CREDENTIALS, "callbackURL": "/home"}),
        get("/ok?callbackURL=https%3A%2F%2Fevil.test"),
        get("/ok?callbackURL=/home&callbackURL=https%3A%2F%2Fevil.test"),
    ),
]
