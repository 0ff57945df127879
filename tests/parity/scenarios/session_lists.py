"""Listing and revoking sessions."""

from parity.scenario import Copy, get, post, reply, scenario, shift, sign_in, sign_up, whoami

WRONG: tuple[object, ...] = (None, 1, True, [], {}, "")

SESSION_LISTS = [
    scenario(
        "every session is listed",
        sign_up(),
        sign_in(jar="b"),
        sign_in(jar="c", rememberMe=False),
        get("/list-sessions"),
    ),
    scenario(
        "expired ones are not listed",
        sign_up(),
        sign_in(jar="b"),
        shift("session", "expiresAt", -8 * 86400),
        sign_in(),
        get("/list-sessions"),
    ),
    scenario(
        "only one's own are listed",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        get("/list-sessions"),
        get("/list-sessions", jar="b"),
    ),
    scenario(
        "nobody is signed in",
        get("/list-sessions"),
        *[post(f"/{path}", {"token": "x"}) for path in ("revoke-session", "revoke-sessions", "revoke-other-sessions")],
        *[post(f"/{path}") for path in ("revoke-session", "revoke-sessions", "revoke-other-sessions")],
    ),
    scenario(
        "one session is revoked",
        sign_up(),
        sign_in(jar="b", label="other"),
        post("/revoke-session", {"token": reply("other", "token")}),
        whoami(jar="b"),
        whoami(),
    ),
    scenario(
        "one revokes one's own",
        sign_up(label="own"),
        post("/revoke-session", {"token": reply("own", "token")}),
        whoami(),
    ),
    scenario(
        "another user's session is not revoked",
        sign_up(),
        sign_up("bob@example.com", jar="b", label="bob"),
        post("/revoke-session", {"token": reply("bob", "token")}),
        whoami(jar="b"),
    ),
    scenario("an unknown token", sign_up(), post("/revoke-session", {"token": "nope"}), whoami()),
    scenario(
        "tokens of another kind",
        sign_up(),
        *[post("/revoke-session", {"token": value}) for value in WRONG],
        post("/revoke-session", {}),
    ),
    scenario(
        "invalid before unauthorized", *[post("/revoke-session", body) for body in ({}, {"token": 1}, {"token": "x"})]
    ),
    scenario(
        "all are revoked",
        sign_up(),
        sign_in(jar="b"),
        Copy("a", "c"),
        post("/revoke-sessions"),
        whoami(),
        whoami(jar="b"),
        whoami(jar="c"),
    ),
    scenario("all are revoked, with a body", sign_up(), post("/revoke-sessions", {"x": 1}), whoami()),
    scenario(
        "all but one's own",
        sign_up(),
        sign_in(jar="b"),
        post("/revoke-other-sessions"),
        whoami(),
        whoami(jar="b"),
        get("/list-sessions"),
    ),
    scenario("all but one's own, with a body", sign_up(), post("/revoke-other-sessions", {"x": 1})),
    scenario(
        "another user's sessions stay",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/revoke-sessions"),
        whoami(jar="b"),
    ),
    scenario(
        "others of another user stay",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        post("/revoke-other-sessions"),
        whoami(jar="b"),
    ),
]
