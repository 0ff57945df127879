"""Ids that are numbers or UUIDs."""

from parity.scenario import Code, Reply, Scenario, get, post, scenario, sign_in, sign_up, whoami

PASSWORD = {"password": "password123"}


def _with(on: str) -> list[Scenario]:
    return [
        scenario(
            f"users and sessions with {on}",
            sign_up(),
            whoami(),
            sign_up("bob@example.com", jar="b"),
            sign_in(jar="c"),
            get("/list-sessions"),
            get("/list-accounts"),
            post("/update-user", {"name": "Bob"}),
            post("/revoke-other-sessions", {}),
            whoami(jar="b"),
            whoami(jar="c"),
            on=on,
        ),
        scenario(
            f"a second factor with {on}",
            sign_up(),
            post("/two-factor/enable", PASSWORD, label="enable"),
            post("/two-factor/verify-totp", {"code": Code("enable")}),
            sign_in(jar="b"),
            post("/two-factor/verify-totp", {"code": Code("enable", 1)}, jar="b"),
            whoami(jar="b"),
            on=on,
        ),
        scenario(
            f"deleted users with {on}",
            sign_up("bob@example.com", jar="b", label="bob"),
            sign_up(),
            post("/unlink-account", {"providerId": "credential", "accountId": Reply("bob", ("user", "id"))}),
            post("/delete-user", PASSWORD, jar="b"),
            whoami(jar="b"),
            whoami(),
            on=on,
        ),
    ]


IDS = [each for on in ("serial", "uuid") for each in _with(on)]
