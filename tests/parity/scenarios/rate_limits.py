"""How many requests one client may send."""

from parity.scenario import Call, Step, get, post, scenario, sign_in, whoami

LIMITED: tuple[tuple[str, str, object], ...] = (
    ("POST", "/sign-in/email", {"email": "x@example.com", "password": "x"}),
    ("POST", "/sign-in/username", {"username": "x", "password": "x"}),
    ("POST", "/sign-up/email", {}),
    ("POST", "/change-password", {}),
    ("POST", "/two-factor/verify-totp", {}),
    ("POST", "/two-factor/enable", {}),
)


def times(count: int, call: Call, client: int, **headers: str | None) -> list[Step]:
    """Repeat a call from an address that no other scenario uses: counters outlive a scenario."""
    sent = {"x-forwarded-for": f"198.51.100.{client}"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    return [
        Call(method=call.method, path=call.path, body=call.body, headers=sent, label=f"{call} {number}")
        for number in range(1, count + 1)
    ]


RATE_LIMITS = [
    *[
        scenario(f"five times {path}", *times(5, Call(method=method, path=path, body=body), client), on="limited")
        for client, (method, path, body) in enumerate(LIMITED, 1)
    ],
    scenario(
        "a refused request still has its own answer elsewhere",
        *times(4, sign_in("x@example.com"), 21),
        get("/ok"),
        whoami(),
        on="limited",
    ),
    scenario(
        "each path has its own counter",
        *[
            step
            for path in ("/sign-in/email", "/sign-up/email", "/sign-in/username")
            for step in times(3, post(path, {}), 22)
        ],
        on="limited",
    ),
    scenario("malformed bodies count", *times(5, post("/sign-in/email", b"{"), 23), on="limited"),
    scenario("wrong origins count", *times(5, sign_in(), 24, origin="https://evil.test"), on="limited"),
    scenario("wrong methods", *times(5, get("/sign-in/email"), 25), on="limited"),
    scenario("unknown paths below a limited one", *times(5, post("/sign-in/nope", {}), 26), on="limited"),
    scenario("a hundred and two times get-session", *times(102, whoami(), 27), on="limited"),
    scenario(
        "addresses that are the same client",
        *[
            post("/sign-in/email", {}, headers={"x-forwarded-for": f"2001:db8:9:9::{number}"}, label=str(number))
            for number in range(1, 6)
        ],
        on="limited",
    ),
    scenario(
        "nobody knows the client", *times(5, post("/sign-in/email", {}), 28, x_forwarded_for="nonsense"), on="limited"
    ),
]
