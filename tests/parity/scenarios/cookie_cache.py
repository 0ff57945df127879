"""Sessions that are read from a cookie of their own."""

from collections.abc import Callable, Iterator

from parity.scenario import (
    Forget,
    Held,
    Replace,
    Scenario,
    Statement,
    fill,
    get,
    post,
    reply,
    scenario,
    shift,
    sign_in,
    sign_up,
    tampered,
    whoami,
)

DAY = 24 * 3600


def _always(text: str) -> Callable[[str], str]:
    return lambda _: text


def _scenarios(on: str) -> Iterator[Scenario]:
    yield scenario(
        "the cookie is set and read",
        sign_up(),
        fill("user", "name", "New"),
        whoami(),
        whoami("?disableCookieCache=true"),
        whoami(),
        on=on,
    )
    yield scenario("at sign-in", sign_up(jar="b"), sign_in(), sign_in(rememberMe=False), whoami(), on=on)
    yield scenario("in other scripts", sign_up(name='Ünï 🔐 漢字 "quoted" \\ / \u2028 </script>'), whoami(), on=on)
    yield scenario(
        "not remembered",
        sign_up(rememberMe=False),
        whoami(),
        whoami("?disableCookieCache=true"),
        post("/sign-out"),
        on=on,
    )
    yield scenario(
        "a revoked session is still read",
        sign_up(),
        sign_in(jar="b", label="other"),
        post("/revoke-session", {"token": reply("other", "token")}),
        whoami(jar="b"),
        get("/list-sessions", jar="b"),
        post("/update-user", {"name": "x"}, jar="b"),
        post("/change-password", {"currentPassword": "password123", "newPassword": "password124"}, jar="b"),
        post("/revoke-sessions", jar="b"),
        post("/revoke-other-sessions", jar="b"),
        post("/revoke-session", {"token": "x"}, jar="b"),
        whoami(jar="b", label="whoami at the end"),
        whoami("?disableCookieCache=true", jar="b"),
        whoami(jar="b", label="whoami afterwards"),
        on=on,
    )
    yield scenario(
        "the row is gone",
        sign_up(),
        Statement("delete from session"),
        whoami(),
        whoami("?disableCookieCache=false"),
        whoami(),
        on=on,
    )
    yield scenario("tampered", sign_up(), Replace("session_data", tampered), whoami(), whoami(), on=on)
    yield scenario(
        "tampered, and the row is gone",
        sign_up(),
        Statement("delete from session"),
        Replace("session_data", tampered),
        whoami(),
        on=on,
    )
    yield scenario(
        "unreadable",
        sign_up(),
        *[
            step
            for text in ("x", "a.b.c", "e30", "a.b.c.d.e", "bnVsbA", "%7B%7D")
            for step in (Replace("session_data", _always(text)), whoami(label=text))
        ],
        on=on,
    )
    yield scenario("without the token", sign_up(), Forget("session_token"), whoami(), on=on)
    yield scenario("without the copy", sign_up(), Forget("session_data"), whoami(), whoami(), on=on)
    yield scenario(
        "with the token of another session",
        sign_up(),
        sign_in(jar="b"),
        whoami(
            headers={
                "cookie": Held(
                    "b",
                    lambda held: {name: text for name, text in held.items() if name.endswith("token")},
                    "better-auth.session_data=x; {}",
                )
            }
        ),
        on=on,
    )
    yield scenario(
        "two users mixed",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        Statement("delete from session"),
        whoami(headers={"cookie": Held("b")}),
        on=on,
    )
    yield scenario("update-user writes it again", sign_up(), post("/update-user", {"name": "New"}), whoami(), on=on)
    yield scenario(
        "change-password writes it again",
        sign_up(),
        post(
            "/change-password",
            {"currentPassword": "password123", "newPassword": "password124", "revokeOtherSessions": True},
        ),
        whoami(),
        on=on,
    )
    yield scenario("sign-out takes it away", sign_up(), post("/sign-out"), whoami(), on=on)
    yield scenario("all sessions revoked", sign_up(), post("/revoke-sessions"), whoami(), on=on)
    yield scenario("other sessions revoked", sign_up(), post("/revoke-other-sessions"), whoami(), on=on)
    yield scenario(
        "a big copy comes in pieces",
        sign_up(name="x" * 7000),
        fill("user", "name", "New"),
        whoami(),
        whoami("?disableCookieCache=true"),
        post("/sign-out"),
        on=on,
    )
    yield scenario(
        "a piece is missing", sign_up(name="x" * 7000), Forget("session_data.1"), Forget("1"), whoami(), on=on
    )
    yield scenario(
        "prolonged while read from the row",
        sign_up(),
        shift("session", "expiresAt", -DAY - 60),
        whoami("?disableCookieCache=true"),
        whoami(),
        on=on,
    )
    yield scenario(
        "not prolonged while read from the copy", sign_up(), shift("session", "expiresAt", -DAY - 60), whoami(), on=on
    )
    yield scenario(
        "expired, but cached",
        sign_up(),
        shift("session", "expiresAt", -8 * DAY),
        whoami(),
        whoami("?disableCookieCache=true"),
        on=on,
    )
    yield scenario(
        "without being refreshed",
        sign_up(),
        whoami("?disableRefresh=true"),
        whoami("?disableRefresh=true&disableCookieCache=true"),
        on=on,
    )
    yield scenario(
        "not fresh in the copy",
        shift("session", "createdAt", -2 * DAY),
        sign_up(),
        shift("session", "createdAt", -2 * DAY),
        get("/list-sessions"),
        whoami(),
        on=on,
    )


# What a session that was revoked, but has its copy still, must not do.
SENSITIVE: tuple[tuple[str, dict[str, str]], ...] = (
    ("/change-email", {"newEmail": "bob@example.com"}),
    ("/change-password", {"currentPassword": "password123", "newPassword": "password124"}),
    ("/verify-password", {"password": "password123"}),
    ("/delete-user", {"password": "password123"}),
    ("/revoke-session", {"token": "x"}),
    ("/revoke-sessions", {}),
    ("/revoke-other-sessions", {}),
    ("/unlink-account", {"providerId": "credential", "accountId": "x"}),
)


def _revoked() -> Iterator[Scenario]:
    for path, body in SENSITIVE:
        ended = (sign_up(), sign_in(jar="b"), post("/revoke-other-sessions", {}), whoami(jar="b"))
        yield scenario(f"revoked, and {path}", *ended, post(path, body, jar="b"), whoami(jar="b"), on="jwt")


COOKIE_CACHE = [*(each for on in ("compact", "jwt", "jwe") for each in _scenarios(on)), *_revoked()]
