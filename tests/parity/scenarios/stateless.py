"""Sessions without a database: the encrypted cookie is the session. Rows are in memory, so nobody signs up twice."""

from collections.abc import Sequence

from parity.scenario import Forget, Replace, Scenario, Step, get, post, scenario, sign_in, sign_up, tampered, whoami

PASSWORD = {"currentPassword": "password123", "newPassword": "password124"}


def alone(name: str, *steps: Step) -> Scenario:
    return scenario(name, *steps, on="stateless")


def ended_elsewhere(email: str) -> Sequence[Step]:
    """End a session of `b` in the memory of the server; its cookies stay."""
    return (sign_up(email), sign_in(email, jar="b"), post("/revoke-other-sessions", {}))


def written() -> Sequence[Step]:
    return (
        post("/update-user", {"name": "New"}, jar="b"),
        whoami(jar="b"),
        post("/update-session", {"theme": "dark"}, jar="b"),
        whoami(jar="b", label="with a theme"),
    )


STATELESS = [
    alone("a session", sign_up("one@example.com"), whoami(), whoami(), post("/sign-out"), whoami()),
    alone(
        "not remembered",
        sign_up("two@example.com"),
        sign_in("two@example.com", jar="b", rememberMe=False),
        whoami(jar="b"),
        post("/sign-out", jar="b"),
    ),
    alone("a big session", sign_up("three@example.com", name="x" * 7000), whoami(), post("/sign-out"), whoami()),
    alone("tampered", sign_up("four@example.com"), Replace("session_data", tampered), whoami(), whoami()),
    alone("without the copy", sign_up("five@example.com"), Forget("session_data"), whoami(), whoami()),
    alone("without the token", sign_up("six@example.com"), Forget("session_token"), whoami()),
    alone(
        "ended elsewhere",
        *ended_elsewhere("seven@example.com"),
        whoami(jar="b"),
        get("/list-sessions", jar="b"),
        get("/list-accounts", jar="b"),
        *written(),
        post("/change-password", PASSWORD, jar="b"),
        post("/revoke-session", {"token": "x"}, jar="b"),
        whoami(jar="b", label="at the end"),
        whoami("?disableCookieCache=true", jar="b"),
        whoami(jar="b", label="afterwards"),
    ),
    alone(
        "changed",
        sign_up("eight@example.com"),
        post("/update-user", {"name": "New"}),
        whoami(),
        post("/update-session", {"theme": "dark", "note": "x"}),
        whoami(label="with a theme"),
        post("/change-password", {**PASSWORD, "revokeOtherSessions": True}),
        whoami(label="with another password"),
    ),
    alone("the store is asked", sign_up("nine@example.com"), whoami("?disableCookieCache=true"), whoami()),
    alone("all sessions revoked", sign_up("ten@example.com"), post("/revoke-sessions", {}), whoami()),
]
