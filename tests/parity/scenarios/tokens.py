"""The tokens of stored accounts, against a provider on loopback whose answers follow from the tokens it is sent."""

from collections.abc import Sequence
from typing import Any

from parity.scenario import Call, Scenario, Step, get, post, reply, scenario, sign_up
from parity.scenario import Statement as Sql

GET, REFRESH, INFO, LIST = "/get-access-token", "/refresh-token", "/account-info", "/list-accounts"
LONG = "-0123456789-abcdefghijklmnopqrstuvwxyz"
"""Makes a token so long that its encrypted form is told from an id."""
SHAPES: tuple[object, ...] = (
    {},
    [],
    "x",
    {"accountId": 1},
    {"accountId": None},
    {"accountId": "x", "userId": 1},
    {"accountId": "x", "more": 1},
    {"accountId": "x", "useAccountCookie": True},
    {"useAccountCookie": False},
    {"useAccountCookie": "true"},
    {"userId": "x"},
)


def account(
    *,
    provider: str = "acme",
    access: str | None = f"access{LONG}",
    refresh: str | None = f"refresh{LONG}",
    lasts: str | None = "+1 hour",
    scope: str | None = "openid,email",
    email: str = "ann@example.com",
) -> Sql:
    """Add an account with tokens; a number ends an access token in so many seconds from now."""
    return Sql(
        'insert into account (id, "accountId", "providerId", "userId", scope, "accessToken", "refreshToken",'
        ' "accessTokenExpiresAt", "createdAt", "updatedAt") select substr(hex(randomblob(16)), 1, 32), \'42\', ?,'
        " id, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds'),"
        " strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds') from user where email = ?",
        (provider, scope, access, refresh, lasts, email),
    )


LISTED = get(LIST, label="list")


def ask(path: str, place: int = 1, jar: str = "a") -> Call:
    """Name the account that stands at this place in the list before."""
    return post(path, {"accountId": reply("list", place, "id")}, jar=jar)


def info(more: str = "") -> Call:
    """Ask who the user is whose account is the second in the list before."""
    template = f"{INFO}?accountId={{}}{more}"
    return get(reply("list", 1, "id", template=template), label=f"{INFO} {more}".strip())


def about(name: str, *steps: Step, **tokens: Any) -> Sequence[Scenario]:
    """Return a scenario about one account, with its tokens in the clear and encrypted."""
    given = (sign_up(), account(**tokens), LISTED, *steps)
    return [scenario(name, *given, on=each) for each in ("providers", "encrypted providers")]


TOKENS = [
    *about("a token that lasts", ask(GET), ask(GET), info()),
    *about("a token without an end", ask(GET), info(), lasts=None),
    *about("a token that is about to end", ask(GET), ask(GET), LISTED, lasts="+4 seconds"),
    *about("a token that ends soon", ask(GET), lasts="+30 seconds"),
    *about("a token that ended is refreshed for the profile", info(), ask(GET), lasts="-1 hour"),
    *about("a refresh", ask(REFRESH), ask(REFRESH), ask(GET), LISTED),
    *about("no rotation", ask(REFRESH), ask(GET), refresh=f"lasting{LONG}"),
    *about("no end", ask(REFRESH), ask(GET), refresh=f"endless{LONG}"),
    *about("no scopes", ask(GET), ask(REFRESH), info(), scope=None),
    *about("odd scopes", ask(GET), ask(REFRESH), scope="a, b ,,c d"),
    *about("no access token", ask(GET), info(), access=None),
    *about("no refresh token", ask(REFRESH), ask(GET), info(), refresh=None, lasts="-1 hour"),
    *[
        step
        for word in ("refused", "page", "nothing")
        for step in about(
            f"a provider that answers a refresh with {word}",
            ask(REFRESH),
            ask(GET),
            info(),
            LISTED,
            refresh=f"{word}{LONG}",
            lasts="-1 hour",
        )
    ],
    *[
        step
        for word in ("revoked", "page", "text", "bare")
        for step in about(f"a profile for a token that is {word}", info(), access=f"{word}{LONG}")
    ],
    *about("an unknown provider", ask(GET), ask(REFRESH), info(), provider="gone"),
    *about("the account with the password", ask(GET, 0), ask(REFRESH, 0)),
    *about("more in the query", info("&userId=x"), info("&more=1"), info("&disableCookieCache=true")),
    *about(
        "the provider's id of the account",
        *[post(path, {"accountId": "42"}) for path in (GET, REFRESH)],
        get(f"{INFO}?accountId=42"),
    ),
    *about("more in the body", *[post(path, {"accountId": "x", "more": 1, "most": 2}) for path in (GET, REFRESH)]),
    *about("by the provider's name", *[post(path, {"providerId": "acme"}) for path in (GET, REFRESH)]),
    *about(
        "by verbs of another kind",
        post(INFO),
        get(REFRESH),
        get(reply("list", 1, "id", template=f"{GET}?accountId={{}}"), label="alias"),
    ),
    scenario(
        "another user's account",
        sign_up(),
        account(),
        LISTED,
        sign_up("bob@example.com", jar="b"),
        ask(GET, jar="b"),
        ask(REFRESH, jar="b"),
        on="providers",
    ),
    scenario(
        "nobody is signed in",
        *[post(path, {"accountId": "x"}) for path in (GET, REFRESH)],
        *[post(path, {"accountId": "x", "userId": "y"}) for path in (GET, REFRESH)],
        *[post(path, {}) for path in (GET, REFRESH)],
        get(f"{INFO}?accountId=x"),
        get(INFO),
        on="providers",
    ),
    *[
        scenario(f"a body of the shape {shape!r}", sign_up(), post(GET, shape), post(REFRESH, shape), on="providers")
        for shape in SHAPES
    ],
    scenario(
        "no account cookie",
        sign_up(),
        *[post(path, {"useAccountCookie": True}) for path in (GET, REFRESH)],
        post("/sign-out"),
        on="providers",
    ),
    scenario(
        "the account cookie lasts as long as the copy",
        sign_up(),
        account(lasts="-1 hour"),
        LISTED,
        ask(GET),
        post(GET, {"useAccountCookie": True}),
        get(f"{INFO}?useAccountCookie=true"),
        on="providers and copies",
    ),
    scenario("the cookie in a query", sign_up(), get(f"{INFO}?useAccountCookie=true"), on="providers"),
]
