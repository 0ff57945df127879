"""Listing and unlinking the accounts by which a user signs in."""

from parity.scenario import Call, Statement, get, post, reply, scenario, shift, sign_in, sign_up, whoami

WRONG: tuple[object, ...] = (None, 1, True, [], {})
NOBODY: tuple[object, ...] = ({"accountId": "x"}, {}, {"accountId": 1}, [])
LIST = "/list-accounts"
UNLINK = "/unlink-account"


def linked(provider: str, account: str, scope: str | None = None, email: str = "ann@example.com") -> Statement:
    """Add an account of a provider, with tokens and dates after those of the others."""
    return Statement(
        'insert into account (id, "accountId", "providerId", "userId", scope, "accessToken", "refreshToken", "idToken",'
        ' "accessTokenExpiresAt", "createdAt", "updatedAt") select substr(hex(randomblob(16)), 1, 32), ?, ?, id, ?,'
        " 'access', 'refresh', 'id-token', \"createdAt\","
        " strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds')"
        " from user where email = ?",
        (account, provider, scope, email),
    )


def unlink(place: int, **rest: str) -> Call:
    """Unlink the account that stands at this place in the list before."""
    return post(UNLINK, {"accountId": reply("list", place, "id"), **rest})


ACCOUNTS = [
    scenario("one's own are listed", sign_up(), linked("github", "42", "read:user,user:email"), get(LIST)),
    scenario(
        "another user's are not",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        linked("github", "42", email="bob@example.com"),
        get(LIST),
        get(LIST, jar="b"),
    ),
    *[
        scenario(f"scopes {scope!r}", sign_up(), linked("github", "42", scope), get(LIST))
        for scope in ("", " ", "a", "a, b ,,c", "a b", ",")
    ],
    scenario(
        "nobody is signed in",
        get(LIST),
        *[post(UNLINK, body) for body in NOBODY],
        post(UNLINK),
    ),
    scenario("one is unlinked", sign_up(), linked("github", "42"), get(LIST, label="list"), unlink(1), get(LIST)),
    scenario(
        "unknown fields are ignored",
        sign_up(),
        linked("github", "42"),
        get(LIST, label="list"),
        unlink(1, userId="x", provider="x"),
        get(LIST),
    ),
    scenario(
        "the one with the password is unlinked",
        sign_up(),
        linked("github", "42"),
        get(LIST, label="list"),
        unlink(0),
        sign_in(jar="b"),
        post("/change-password", {"currentPassword": "password123", "newPassword": "password124"}),
        whoami(),
    ),
    scenario(
        "the last one stays",
        sign_up(),
        get(LIST, label="list"),
        unlink(0),
        post(UNLINK, {"accountId": "unknown"}),
        get(LIST),
    ),
    scenario(
        "the last one goes if it may",
        sign_up(),
        get(LIST, label="list"),
        post(UNLINK, {"accountId": "unknown"}),
        unlink(0),
        get(LIST),
        unlink(0),
        sign_in(jar="b"),
        whoami(),
        on="accounts",
    ),
    scenario(
        "what names none",
        sign_up(),
        linked("github", "42"),
        *[post(UNLINK, {"accountId": text}) for text in ("42", "github", "credential", "", "unknown")],
        get(LIST),
    ),
    scenario(
        "another user's is not unlinked",
        sign_up(),
        linked("github", "42"),
        sign_up("bob@example.com", jar="b"),
        linked("google", "42", email="bob@example.com"),
        get(LIST, jar="b", label="list"),
        unlink(0),
        unlink(1),
        get(LIST, jar="b"),
    ),
    scenario(
        "ids of another kind",
        sign_up(),
        linked("github", "42"),
        *[post(UNLINK, {"accountId": value}) for value in WRONG],
        post(UNLINK, {}),
        post(UNLINK, []),
        post(UNLINK, "x"),
    ),
    scenario(
        "a session that is not fresh",
        sign_up(),
        linked("github", "42"),
        shift("session", "createdAt", -2 * 86400),
        get(LIST, label="list"),
        unlink(1),
        get(LIST),
    ),
    scenario("from a cookie copy", sign_up(), get(LIST), Statement("delete from session"), get(LIST), on="jwt"),
    scenario("by verbs of another kind", sign_up(), post(LIST), get(UNLINK)),
]
