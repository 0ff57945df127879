"""Sign-up, sign-in and availability by username."""

from typing import Any

from parity.scenario import FORM, JSON, Call, Statement, call, fill, post, scenario, sign_up, whoami

NAMES = (
    "ann",
    "Ann_B.9",
    "an",
    "a" * 30,
    "a" * 31,
    "a b c",
    "ann-b",
    "ann@b",
    "ünï",
    "🔐",
    "🔐🔐🔐",
    "🔐" * 16,
    "...",
    "___",
    "ann\n",
    " ann",
    "",
    "ANN",
    "İstanbul",
    "\uff41\uff4e\uff4e",
    "ann ",
    "ann\u00a0",
    "ann\u200b",
    "ann\0",
    "a\u0301nn",
    "\u212aelvin",
    "\u0131stanbul",
    "a" * 10_000,
    "__proto__",
    "constructor",
    "ann..b.",
)
WRONG: tuple[object, ...] = (None, 1, True, [], {})
PATHS = ("/sign-in/username", "/is-username-available")


def named(username: object, email: str = "ann@example.com", **rest: Any) -> Call:
    return sign_up(email, username=username, **rest)


def enter(username: object, password: object = "password123", **rest: Any) -> Call:
    fields = {key: rest.pop(key) for key in ("rememberMe", "callbackURL") if key in rest}
    return post("/sign-in/username", {"username": username, "password": password, **fields}, **rest)


def available(username: object, **rest: Any) -> Call:
    return post("/is-username-available", {"username": username}, **rest)


USERNAMES = [
    scenario(
        "a user signs up with a username",
        named("Ann_B"),
        whoami(),
        enter("ann_b", jar="b"),
        enter("ANN_B", jar="c"),
        on="plugins",
    ),
    scenario(
        "a user signs up without",
        sign_up(),
        whoami(),
        post("/update-user", {"username": "Ann.1"}),
        whoami(),
        on="plugins",
    ),
    scenario("with a display name", named("ann", displayUsername="Ann the First"), whoami(), on="plugins"),
    scenario(
        "with a display name only",
        sign_up(displayUsername="Ann"),
        sign_up("bob@example.com", displayUsername="Bob B!", jar="b"),
        on="plugins",
    ),
    *[
        scenario(
            f"username {name[:20]!r} {len(name)}",
            named(name),
            available(name, jar="b"),
            enter(name, jar="b"),
            on="plugins",
        )
        for name in NAMES
    ],
    *[
        scenario(f"username of another kind {value!r}", named(value), available(value), enter(value), on="plugins")
        for value in WRONG
    ],
    *[
        scenario(f"display name of another kind {value!r}", named("ann", displayUsername=value), on="plugins")
        for value in (*WRONG, "")
    ],
    scenario(
        "a username is taken",
        named("Ann"),
        named("ANN", "bob@example.com", jar="b"),
        available("ann"),
        available("aNN"),
        available("other"),
        sign_up("bob@example.com", jar="b"),
        post("/update-user", {"username": "ann"}, jar="b", label="bob takes it"),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario(
        "a username is changed",
        named("Ann"),
        post("/update-user", {"username": "Ann"}, label="the same"),
        post("/update-user", {"username": "ANN"}, label="another case"),
        post("/update-user", {"username": "New.Name"}),
        whoami(),
        post("/update-user", {"displayUsername": "Shown"}),
        post("/update-user", {"username": "x"}, label="too short"),
        post("/update-user", {"username": "bad name"}, label="invalid"),
        post("/update-user", {"username": None}, label="null"),
        whoami(),
        on="plugins",
    ),
    scenario(
        "signing in",
        named("ann", jar="b"),
        enter("ann"),
        enter("ann", "nope", jar="c"),
        enter("nobody", jar="c"),
        enter("ann", "", jar="c"),
        enter("", jar="c"),
        enter("an", jar="c"),
        enter("a" * 31, jar="c"),
        enter("a b", jar="c"),
        enter("ann", rememberMe=False, jar="d"),
        enter("ann", callbackURL="/home", jar="e"),
        enter("ann", callbackURL="https://evil.test", jar="f"),
        on="plugins",
    ),
    scenario(
        "fields of another kind",
        *[enter("ann", value) for value in WRONG],
        *[enter("ann", rememberMe=value) for value in WRONG],
        *[enter("ann", callbackURL=value) for value in WRONG],
        post("/sign-in/username", {}),
        post("/sign-in/username", {"username": "ann"}),
        post("/is-username-available", {}),
        post("/sign-in/username", b"username=ann&password=x", media=FORM),
        on="plugins",
    ),
    scenario(
        "other bodies, paths and methods",
        named("ann", jar="b"),
        *[
            step
            for path in PATHS
            for step in (
                post(path, b"username=ann&password=password123", media=FORM, label=f"{path} as a form"),
                post(path, b'{"username":"ann","password":"password123"}', media="text/plain", label=f"{path} as text"),
                post(f"{path}?username=ann&password=password123", {}),
                post(f"{path}/", {"username": "ann", "password": "password123"}),
                *[post(path, body, media=JSON, label=f"{path} {body!r}") for body in (b"null", b"[]", b'"ann"', b"")],
                *[call(method, path) for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")],
            )
        ],
        on="plugins",
    ),
    scenario(
        "fields that are given twice, and further ones",
        named("ann", jar="b"),
        post("/sign-in/username", b'{"username":"x","username":"ann","password":"password123"}', media=JSON),
        post("/is-username-available", b'{"username":"ann","username":"free","__proto__":{}}', media=JSON),
        post("/sign-in/username", {"username": "ann", "password": "password123", "email": 1}, label="further"),
        on="plugins",
    ),
    scenario(
        "an address is no username",
        *(named("ann", jar="b"), enter("ann@example.com"), available("ann@example.com")),
        post("/sign-in/email", {"email": "ann", "password": "password123"}),
        on="plugins",
    ),
    scenario(
        "a name that was stored in other letters",
        named("ann", jar="b"),
        fill("user", "username", "Ann"),
        *(enter("ann"), enter("Ann"), available("ann")),
        on="plugins",
    ),
    scenario(
        "a user who is gone",
        named("ann"),
        *[Statement(f'delete from "{table}"') for table in ("session", "account", "user")],
        *(enter("ann", jar="b"), available("ann"), post("/update-user", {"username": "other"})),
        on="plugins",
    ),
    scenario(
        "a name that was given away",
        *(named("ann"), post("/update-user", {"username": None}), named("ann", "bob@example.com", jar="b")),
        *(whoami(), whoami(jar="b"), enter("ann", jar="c")),
        on="plugins",
    ),
    scenario(
        "origins",
        *[
            enter("ann", headers=headers, label=str(headers))
            for headers in (
                {"origin": None},
                {"origin": "https://evil.test"},
                {"origin": None, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
                {"origin": None, "sec-fetch-mode": "cors"},
            )
        ],
        on="plugins",
    ),
    scenario(
        "the address signs in as before",
        named("ann"),
        post("/sign-in/email", {"email": "ann@example.com", "password": "password123"}, jar="b"),
        on="plugins",
    ),
    *[
        scenario(
            f"both names, {username!r} and {shown!r}",
            named(username, displayUsername=shown),
            whoami(),
            post("/update-user", {"username": username, "displayUsername": shown}),
            whoami(),
            on="plugins",
        )
        for username, shown in (
            (None, "Ann"),
            ("", "Ann"),
            ("Ann", ""),
            ("Ann", None),
            (None, None),
            ("a b", "Ann"),
        )
    ],
    scenario(
        "a display name is changed",
        named("Ann"),
        post("/update-user", {"displayUsername": "Ann the First"}),
        whoami(),
        post("/update-user", {"username": "Queen", "displayUsername": "Queen Ann"}, label="both"),
        post("/update-user", {"displayUsername": ""}, label="empty"),
        whoami(),
        post("/update-user", {"displayUsername": None}, label="null"),
        whoami(),
        on="plugins",
    ),
    scenario(
        "somebody without a session changes one",
        named("Ann"),
        *[post("/update-user", {"username": name}, jar="b", label=name) for name in ("ann", "free", "x", "a b")],
        on="plugins",
    ),
    scenario(
        "one user after the other has a name",
        named("Ann"),
        sign_up("bob@example.com", jar="b"),
        post("/update-user", {"username": "Other"}),
        post("/update-user", {"username": "ANN"}, jar="b", label="bob takes it"),
        post("/update-user", {"username": "ann"}, label="it is gone"),
        whoami(),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario(
        "passwords that cannot be",
        named("ann", jar="b"),
        enter("ann", "x" * 129),
        enter("nobody", "x" * 129),
        enter("a b", "x" * 129),
        Statement('update "account" set "password" = null'),
        enter("ann"),
        Statement('delete from "account"'),
        enter("ann"),
        on="plugins",
    ),
    *[
        scenario(
            f"the address must be proven, {configuration}",
            named("Ann"),
            enter("ann", "wrong password"),
            enter("ann"),
            enter("ann", callbackURL="/home"),
            available("ann"),
            named("Ann", label="once more"),
            named("Ann.2", label="the address is taken"),
            named("ANN", "bob@example.com", label="the name is taken"),
            fill("user", "emailVerified", True),
            enter("ann", callbackURL="/home", label="it is proven"),
            on=configuration,
        )
        for configuration in ("proven", "mute names")
    ],
]
