"""Checks of senders and of places to be sent to, turned off or asked of the application."""

from parity.scenario import Call, Scenario, get, post, scenario, sign_in, sign_up, whoami

EVIL = "https://evil.test"
FOREIGN = {"origin": EVIL}
CROSS_SITE = {
    "origin": EVIL,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}


def changed(label: str, **headers: str | None) -> Call:
    return post("/update-user", {"name": label}, headers=headers, label=label)


def reset(to: str, **headers: str) -> Call:
    body = {"email": "ann@example.com", "redirectTo": to}
    return post("/request-password-reset", body, headers=headers, label=f"{to} {headers}")


def everything(configuration: str) -> Scenario:
    """Send from foreign pages and to foreign places, with and without cookies."""
    return scenario(
        "foreign senders and places",
        sign_up(),
        changed("own page"),
        changed("foreign page", **FOREIGN),
        changed("no page", origin=None),
        changed("null page", origin="null"),
        sign_in(callbackURL=f"{EVIL}/home"),
        sign_in(callbackURL=f"{EVIL}/home", headers=FOREIGN, label="both foreign"),
        sign_in(headers=CROSS_SITE, label="cross-site navigation"),
        sign_in(headers=CROSS_SITE, jar="b", label="cross-site navigation without cookies"),
        sign_up("b@example.com", headers=CROSS_SITE, jar="c", label="cross-site sign-up"),
        sign_up("c@example.com", headers=FOREIGN, jar="c", callbackURL=f"{EVIL}/x", label="sign-up to elsewhere"),
        post("/sign-in/username", {"username": "ann", "password": "x"}, headers=FOREIGN),
        get(f"/verify-email?token=x&callbackURL={EVIL}/x"),
        get(f"/reset-password/x?callbackURL={EVIL}/x"),
        reset(f"{EVIL}/new"),
        reset(f"{EVIL}/new", **FOREIGN),
        post("/sign-out", headers=FOREIGN, label="foreign sign-out"),
        whoami(),
        on=configuration,
    )


UNCHECKED = ("unchecked senders", "unchecked origins", "unchecked targets", "unchecked paths")
TENANT = {"x-tenant": "acme"}

CHECKS: list[Scenario] = [
    *map(everything, UNCHECKED),
    scenario(
        "the application says which origins it trusts",
        sign_up(),
        *[
            sign_in(headers={"origin": origin, **more}, label=f"{origin} {more}")
            for origin in ("https://acme.example.net", "https://other.example.net", "https://exact.example.org", EVIL)
            for more in ({}, TENANT, {"x-tenant": "other"})
        ],
        *[
            sign_in(callbackURL=f"{origin}/home", headers=more, label=f"to {origin} {more}")
            for origin in ("https://acme.example.net", "https://exact.example.org", EVIL)
            for more in ({}, TENANT)
        ],
        on="asked origins",
    ),
    scenario(
        "the application is told of refusals",
        sign_up(),
        sign_up(),
        sign_in(password="wrong password"),
        post("/sign-in/email", {}),
        post("/sign-in/email", b"{"),
        get("/list-sessions", jar="b"),
        get("/nope"),
        changed("foreign page", **FOREIGN),
        get("/error?error=oops", label="error page"),
        get("/error?error=oops&error_description=a%20b", label="error page with a text"),
        get("/error", label="error page without an error"),
        on="told of errors",
    ),
]
