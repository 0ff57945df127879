"""Changing one's password."""

from parity.scenario import Statement, get, post, scenario, shift, sign_in, sign_up, whoami

GOOD = {"currentPassword": "password123", "newPassword": "another-password"}
WRONG: tuple[object, ...] = (None, 1, True, [], {}, "")


def change(**fields: object) -> object:
    return {**GOOD, **fields}


PASSWORDS = [
    scenario(
        "a password is changed",
        sign_up(),
        sign_in(jar="b"),
        post("/change-password", GOOD),
        whoami(),
        whoami(jar="b"),
        sign_in(jar="c"),
        sign_in(password="another-password", jar="c"),
    ),
    scenario(
        "with the other sessions revoked",
        sign_up(),
        sign_in(jar="b"),
        post("/change-password", change(revokeOtherSessions=True)),
        whoami(),
        whoami(jar="b"),
        get("/list-sessions"),
    ),
    scenario("with the other sessions kept", sign_up(), post("/change-password", change(revokeOtherSessions=False))),
    scenario(
        "not remembered",
        sign_up(rememberMe=False),
        post("/change-password", change(revokeOtherSessions=True)),
        whoami(),
    ),
    scenario("a wrong password", sign_up(), post("/change-password", change(currentPassword="nope")), sign_in(jar="b")),
    scenario("the same password", sign_up(), post("/change-password", change(newPassword="password123"))),
    scenario(
        "lengths",
        sign_up(),
        *[
            post("/change-password", change(newPassword=password), label=f"{password[:8]} {len(password)}")
            for password in ("short", "1234567", "x" * 129, "🔐🔐🔐", "🔐" * 65)
        ],
        post("/change-password", change(newPassword="🔐🔐🔐🔐", currentPassword="password123")),
        post("/change-password", change(newPassword="short", currentPassword="nope"), label="both are wrong"),
        post("/change-password", change(currentPassword="x" * 5000), label="a long one"),
    ),
    *[
        scenario(
            f"{field} of another kind",
            sign_up(),
            *[
                post("/change-password", change(**{field: value}))
                for value in WRONG
                if value != "" or field != "newPassword"
            ],
            post("/change-password", {key: value for key, value in GOOD.items() if key != field}, label="missing"),
        )
        for field in ("currentPassword", "newPassword")
    ],
    scenario(
        "revokeOtherSessions of another kind",
        sign_up(),
        *[
            post("/change-password", change(revokeOtherSessions=value, currentPassword="nope"))
            for value in (*WRONG, "true")
        ],
    ),
    scenario("nobody is signed in", post("/change-password", GOOD), post("/change-password", {})),
    scenario("no password to change", sign_up(), Statement("delete from account"), post("/change-password", GOOD)),
    scenario(
        "an account without a password",
        sign_up(),
        Statement("update account set password = null"),
        post("/change-password", GOOD),
    ),
    scenario(
        "a session that is not fresh",
        sign_up(),
        shift("session", "createdAt", -2 * 86400),
        post("/change-password", GOOD),
    ),
    scenario("nothing at all", sign_up(), post("/change-password", {}), post("/change-password")),
    scenario(
        "checked before something else",
        sign_up(),
        *[
            post("/verify-password", {"password": value}, label=f"{str(value)[:9]!r}")
            for value in ("password123", "wrong", "", "x" * 129, 1, None)
        ],
        post("/verify-password", {}, label="nothing"),
        post("/verify-password", label="no body"),
        post("/verify-password", {"password": "password123"}, jar="z", label="nobody"),
        Statement("delete from account"),
        post("/verify-password", {"password": "password123"}, label="no password"),
    ),
    scenario(
        "checked with a session that is not fresh",
        sign_up(),
        shift("session", "createdAt", -2 * 86400),
        post("/verify-password", {"password": "password123"}),
    ),
]
