"""Options about when a session is prolonged."""

from parity.scenario import Forget, get, post, scenario, shift, sign_up, whoami

DAY = 86400
DUE = shift("session", "expiresAt", -DAY - 60)

SESSION_REFRESH = [
    scenario("nothing is prolonged", sign_up(), DUE, whoami(), get("/list-sessions"), whoami(), on="accounts"),
    scenario("not even by POST", sign_up(), DUE, post("/get-session"), on="accounts"),
    scenario("a young session", sign_up(), whoami(), post("/get-session"), on="deferred"),
    scenario("a GET, then a POST", sign_up(), DUE, whoami(), post("/get-session"), whoami(), on="deferred"),
    scenario("asked not to", sign_up(), DUE, whoami("?disableRefresh=true"), on="deferred"),
    scenario("a POST that asks not to", sign_up(), DUE, post("/get-session?disableRefresh=true"), on="deferred"),
    scenario(
        "not remembered",
        sign_up(rememberMe=False),
        shift("session", "expiresAt", -3600),
        whoami(),
        post("/get-session"),
        on="deferred",
    ),
    scenario(
        "by another endpoint",
        sign_up(),
        DUE,
        get("/list-sessions"),
        post("/update-user", {"name": "x"}),
        whoami(),
        on="deferred",
    ),
    scenario("expired, by GET", sign_up(), shift("session", "expiresAt", -8 * DAY), whoami(), on="deferred"),
    scenario(
        "expired, by POST", sign_up(), shift("session", "expiresAt", -8 * DAY), post("/get-session"), on="deferred"
    ),
    scenario(
        "expired, elsewhere", sign_up(), shift("session", "expiresAt", -8 * DAY), get("/list-sessions"), on="deferred"
    ),
    scenario("a POST with a body", sign_up(), DUE, post("/get-session", {}), on="deferred"),
    scenario("nobody is signed in", whoami(), post("/get-session"), on="deferred"),
    scenario(
        "a POST from elsewhere",
        sign_up(),
        DUE,
        post("/get-session", headers={"origin": "https://evil.test"}),
        post("/get-session", headers={"origin": None}),
        on="deferred",
    ),
    scenario("with a copy", sign_up(), DUE, whoami(), post("/get-session"), on="versioned"),
    scenario(
        "without the copy",
        sign_up(),
        DUE,
        Forget("session_data"),
        whoami(),
        Forget("session_data"),
        post("/get-session"),
        whoami(),
        on="versioned",
    ),
    scenario(
        "past the copy",
        sign_up(),
        DUE,
        whoami("?disableCookieCache=true"),
        post("/get-session?disableCookieCache=true"),
        on="versioned",
    ),
    scenario(
        "a copy has the version of its user",
        sign_up(),
        whoami(),
        post("/update-user", {"name": "New"}),
        whoami(),
        on="versioned",
    ),
]
