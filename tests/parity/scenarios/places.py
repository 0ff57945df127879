"""Where a request was sent, by what its host and the proxies before it say: base URLs, links, cookies and origins."""

from collections.abc import Iterable, Mapping

from parity.scenario import Call, Scenario, get, post, scenario, sign_up, whoami

RESET = {"email": "ann@example.com", "redirectTo": "/new"}
HTTPS = {"x-forwarded-proto": "https"}
HOSTS = (
    "app.example.net",
    "a.preview.example.net",
    "a.b.preview.example.net",
    "preview.example.net",
    "localhost:8000",
    "localhost",
    "app.example.org:8443",
    "app.example.org",
    "app.example.net:8080",
    "app.example.net.evil.test",
    "evil.test",
    "-app.example.net",
)
MALFORMED = ("app.example.net@evil.test", "app.example.net/evil", "app.example.net?", "app.example.net:port", "")
ORIGINS = (
    "https://app.example.net",
    "http://app.example.net",
    "https://a.preview.example.net",
    "http://a.preview.example.net",
    "http://localhost:8000",
    "https://localhost:8000",
    "https://app.example.org:8443",
    "https://www.example.net",
    "http://www.example.net",
    "https://evil.test",
)


def at(host: str, origin: str = "https://app.example.net", **headers: str) -> Mapping[str, str]:
    """Return the headers of a request that was sent to a host, perhaps through proxies."""
    return {"host": host, "origin": origin, **{name.replace("_", "-"): value for name, value in headers.items()}}


def mailed(host: str, **headers: str) -> Call:
    """Ask for a link, which says where the server thinks that it is."""
    shown = ", ".join((host, *headers.values()))
    return post("/request-password-reset", RESET, headers=at(host, **headers), label=f"at {shown!r}")


def entering(host: str = "app.example.net", **headers: str) -> Call:
    return sign_up(headers=at(host, **headers))


def senders(host: str) -> Iterable[Call]:
    """Yield calls of a browser with cookies from pages of many origins."""
    for number, origin in enumerate(ORIGINS):
        headers = {**at(host, origin), "cookie": "a=b"}
        yield sign_up(f"{number}@example.com", headers=headers, label=f"from {origin}")


PLACES: list[Scenario] = [
    *[
        scenario(f"links lead to the host that was asked, {name}", entering(), *map(mailed, HOSTS), on=name)
        for name in ("placed", "placed and secure", "placed by proxies")
    ],
    *[
        scenario(
            f"what forwarding headers say, {name}",
            entering(),
            mailed("app.example.net", x_forwarded_proto="https"),
            mailed("app.example.net", x_forwarded_proto="http"),
            mailed("app.example.net", x_forwarded_proto="ftp"),
            mailed("app.example.net", x_forwarded_host="a.preview.example.net"),
            mailed("app.example.net", x_forwarded_host="a.preview.example.net", x_forwarded_proto="https"),
            mailed("app.example.net", x_forwarded_host="evil.test", x_forwarded_proto="https"),
            mailed("evil.test", x_forwarded_host="app.example.net", x_forwarded_proto="https"),
            mailed("evil.test", x_forwarded_host="not a host"),
            mailed("app.example.net", forwarded="host=evil.test;proto=https"),
            on=name,
        )
        for name in ("placed", "placed and secure", "placed by proxies")
    ],
    *[
        scenario(f"pages of many origins, {name}", *senders("app.example.net"), on=name)
        for name in ("placed", "placed and secure", "placed by proxies", "placed or refused")
    ],
    scenario("a host in other letters", entering(), mailed("App.Example.NET"), on="placed"),
    *[scenario(f"a host that is none: {host!r}", entering(), mailed(host), on="placed") for host in MALFORMED],
    scenario("cookies of two hosts", entering(), entering("a.preview.example.net"), whoami(), on="placed and secure"),
    scenario(
        "cookies by the protocol of a proxy",
        entering(x_forwarded_proto="https"),
        whoami(headers=at("app.example.net", x_forwarded_proto="https")),
        post("/sign-out", headers=at("app.example.net", x_forwarded_proto="https")),
        on="placed by proxies",
    ),
    scenario(
        "a host that is nobody's",
        entering(),
        get("/ok", headers={"host": "evil.test"}, label="foreign"),
        get("/ok", headers={"host": "app.example.net"}, label="own"),
        sign_up("b@example.com", headers=at("evil.test"), label="foreign sign-up"),
        on="placed or refused",
    ),
    scenario(
        "where users may be sent",
        entering(),
        *[
            post("/request-password-reset", {**RESET, "redirectTo": to}, headers=at("app.example.net"), label=to)
            for to in (*ORIGINS, "/new", "//evil.test")
        ],
        on="placed",
    ),
]
