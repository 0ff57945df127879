"""Sign-up with email and password."""

from parity.scenario import get, post, scenario, sign_in, sign_up, whoami

FULL = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
EMAILS = (
    "a@b.cd",
    "A.B+c@Example.COM",
    "ann",
    "ann@",
    "@example.com",
    "ann@example",
    "ann@example.c",
    "ann@@example.com",
    "ann@exa mple.com",
    " ann@example.com",
    "ann@example.com ",
    "ann..b@example.com",
    ".ann@example.com",
    "ann.@example.com",
    "ann'x@example.com",
    "ann&x@example.com",
    "ann!x@example.com",
    "ann_x-y@example.com",
    "-ann@example.com",
    '"ann"@example.com',
    "ann@-example.com",
    "ann@example-.com",
    "ann@exam_ple.com",
    "ann@127.0.0.1",
    "ann@[127.0.0.1]",
    "ünï@example.com",
    "ann@exämple.com",
    "ann@xn--exmple-cua.com",
    "ann@example.com.",
    "ann@.example.com",
    "ann@example..com",
    "ann@example.123",
    "a" * 65 + "@example.com",
    "ann@" + "a" * 64 + ".com",
    "ann@" + "a." * 130 + "com",
    "ann\n@example.com",
    "ann@example.com\n",
    "",
    "x@y.Zz",
)
WRONG: tuple[object, ...] = (None, 1, 1.5, True, [], {}, "", ["x"])

SIGN_UP = [
    scenario("a user signs up", sign_up(), whoami()),
    scenario("with an image", sign_up(image="https://example.com/ann.png"), whoami()),
    scenario("image is null", sign_up(image=None)),
    scenario("image is empty", sign_up(image="")),
    scenario("the address is taken", sign_up(), sign_up(jar="b"), sign_up("ANN@Example.com", jar="b")),
    scenario("the address is kept in lower case", sign_up("Ann@Example.COM"), sign_in("ANN@example.com", jar="b")),
    scenario("an empty name", sign_up(name=""), whoami()),
    scenario("a name in other scripts", sign_up(name="Ünï 🔐 漢字 \u202e \u0000 </script>"), whoami()),
    scenario("a long name", sign_up(name="x" * 5000)),
    scenario("remember me", sign_up(rememberMe=True), whoami()),
    scenario("do not remember me", sign_up(rememberMe=False), whoami(), post("/sign-out")),
    scenario(
        "with a callback address", sign_up(callbackURL="/home"), sign_up("bob@example.com", callbackURL="", jar="b")
    ),
    scenario(
        "fields that a client must not set",
        sign_up(id="x" * 32, emailVerified=True, createdAt="2020-01-01T00:00:00.000Z", role="admin", unknown=1),
        whoami(),
    ),
    *[
        scenario(
            f"{field} of another kind",
            *[
                post("/sign-up/email", {**FULL, "email": f"u{index}@example.com", field: value}, jar=str(index))
                for index, value in enumerate(WRONG)
            ],
            post("/sign-up/email", {key: value for key, value in FULL.items() if key != field}, label="missing"),
        )
        for field in ("name", "email", "password", "image", "rememberMe")
    ],
    scenario("callbackURL of another kind", *[sign_up(callbackURL=value, label=repr(value)) for value in WRONG]),
    scenario("nothing at all", post("/sign-up/email", {}), post("/sign-up/email", {"email": 1, "password": None})),
    scenario(
        "addresses",
        *[sign_up(email, password="short", label=repr(email)) for email in EMAILS],
    ),
    scenario("odd addresses that pass", sign_up("o'hara+x@sub.example.co.uk"), sign_up("a_b-c@x-y.example", jar="b")),
    scenario(
        "lengths of passwords",
        *[
            sign_up(
                f"u{index}@example.com",
                password=password,
                label=f"{index} {password[:9]} {len(password)}",
                jar=str(index),
            )
            for index, password in enumerate(
                (
                    "1234567",
                    "12345678",
                    "x" * 128,
                    "x" * 129,
                    "🔐🔐🔐",
                    "🔐🔐🔐🔐",
                    "🔐" * 64,
                    "🔐" * 64 + "x",
                    "é" * 8,
                    "é" * 7,
                    "        ",
                    "pass\u0000word1",
                )
            )
        ],
    ),
    scenario(
        "a password is normalized",
        sign_up(password="pa\u00dfwort\u212bcafe\u0301"),
        sign_in(password="pa\u00dfwort\u00c5caf\u00e9", jar="b"),
        sign_in(password="pa\u00dfwort\u00c5cafe", jar="c"),
    ),
    scenario("while signed in", sign_up(), sign_up("bob@example.com"), whoami(), get("/list-sessions")),
    scenario("without user agent or address", sign_up(headers={"user-agent": None, "x-forwarded-for": None})),
    scenario(
        "addresses of clients",
        *[
            sign_up(
                f"u{index}@example.com", headers={"x-forwarded-for": address}, jar=str(index), label=f"from {address}"
            )
            for index, address in enumerate(
                (
                    "2001:db8:1:2:3:4:5:6",
                    "::ffff:192.0.2.1",
                    "::1",
                    "192.0.2.1",
                    " 192.0.2.2 ",
                    "192.0.2.1:8080",
                    "nonsense",
                    "192.0.2.256",
                    "",
                    "192.0.2.1, 192.0.2.2",
                )
            )
        ],
    ),
    scenario(
        "a long user agent", sign_up(headers={"user-agent": "x" * 3000}), sign_in(headers={"user-agent": ""}, jar="b")
    ),
    *[
        scenario(
            f"an application that says no, {word}",
            sign_up(f"{word}@example.com"),
            sign_up(f"{word.upper()}@Example.com"),
            sign_in(f"{word}@example.com"),
            sign_up(),
            on=each,
        )
        for word in ("refused", "terse", "broken")
        for each in ("providers", "quiet")
    ],
]
