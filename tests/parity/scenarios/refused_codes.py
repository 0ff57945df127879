"""Second steps that somebody tries in every other way: other spellings, cookies, bodies, methods and rows."""

from collections.abc import Callable, Iterable
from typing import Any

from parity.scenario import (
    FORM,
    JSON,
    Call,
    Code,
    Held,
    HeldValue,
    Mail,
    Put,
    Replace,
    Scenario,
    Statement,
    Step,
    call,
    forged,
    post,
    reply,
    scenario,
    sign_in,
    sign_up,
    unsigned,
    whoami,
)
from parity.scenarios.second_factors import BY_OTP, check, send
from parity.scenarios.two_factor import ENROLLED, PASSWORD, backup, enable, saved, verify

PATHS = (
    "enable",
    "disable",
    "get-totp-uri",
    "verify-totp",
    "send-otp",
    "verify-otp",
    "verify-backup-code",
    "generate-backup-codes",
)
BOTH = {**PASSWORD, "code": "000000"}
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))
SPELLINGS: dict[str, Callable[[str], str]] = {
    "in Arabic digits": lambda code: code.translate(ARABIC),
    "in wide digits": lambda code: code.translate(WIDE),
    "with a space inside": lambda code: f"{code[:3]} {code[3:]}",
    "with a space before": lambda code: f" {code}",
    "with a line break": lambda code: f"{code}\n",
    "with one more digit": lambda code: f"0{code}",
    "with a sign": lambda code: f"+{code}",
    "without its first digit": lambda code: code[1:],
    "with a hyphen": lambda code: f"{code[:3]}-{code[3:]}",
}
LONG = [{"password": password} for password in ("x" * 129, "x" * 100_000, "", None, ["password123"])]
REVOKED = Statement("delete from session")


def each(path: str, bodies: Iterable[Any], **rest: Any) -> list[Call]:
    return [post(f"/two-factor/{path}", body, label=f"{path} {number}", **rest) for number, body in enumerate(bodies)]


def every(body: Any = None, *, start: str = "/two-factor/", end: str = "", **rest: Any) -> list[Call]:
    return [post(f"{start}{path}{end}", body, **rest) for path in PATHS]


def with_cookie(name: str, cookie: Step) -> Scenario:
    return scenario(
        f"a challenge that is {name}",
        *(*ENROLLED, sign_in(jar="b"), cookie, verify(Code("enable", 0), jar="b"), whoami(jar="b")),
        on="plugins",
    )


REFUSED_CODES = [
    *[
        scenario(
            f"codes {name}",
            *(*ENROLLED, sign_in(jar="b"), verify(Code("enable", 0, spelt), jar="b"), whoami(jar="b")),
            on="plugins",
        )
        for name, spelt in SPELLINGS.items()
    ],
    *[
        scenario(
            f"codes {name}, by mail",
            *(sign_up(), BY_OTP, send(), check(Mail("otp", "otp", change=spelt))),
            on="sent codes",
        )
        for name, spelt in SPELLINGS.items()
    ],
    scenario(
        "backup codes in other spellings",
        *(*ENROLLED, sign_in(jar="b")),
        *[backup(reply("enable", "backupCodes", 0, template=form), jar="b") for form in ("{}\n", "\u200b{}", "{0}{0}")],
        backup("-", jar="b"),
        on="plugins",
    ),
    *[
        with_cookie(name, cookie)
        for name, cookie in (
            ("not signed", Replace("two_factor", unsigned, "b")),
            ("signed by another secret", Replace("two_factor", forged, "b")),
            ("empty", Replace("two_factor", lambda _: "", "b")),
            ("a session", Put("better-auth.two_factor", HeldValue("session_token", "a"), "b")),
        )
    ],
    *[
        scenario(
            f"a challenge beside a bad one, {name}",
            *(*ENROLLED, sign_in(jar="b")),
            verify(Code("enable", 0), jar="b", headers={"cookie": Held("b", template=template)}),
            on="plugins",
        )
        for name, template in (
            ("which comes first", "better-auth.two_factor=junk; {}"),
            ("which comes last", "{}; better-auth.two_factor=junk"),
        )
    ],
    scenario(
        "a challenge is no session",
        *(*ENROLLED, sign_in(jar="b")),
        Put("better-auth.session_token", HeldValue("two_factor", "b"), "b"),
        *(whoami(jar="b"), verify(Code("enable", 0), jar="b")),
        on="plugins",
    ),
    scenario(
        "a challenge beside somebody else's session",
        *(*ENROLLED, sign_up("bob@example.com", jar="b"), sign_in(jar="c")),
        Put("better-auth.two_factor", HeldValue("two_factor", "c"), "b"),
        *(verify(Code("enable", 0), jar="b"), backup(saved(0), jar="b"), send(jar="b"), whoami(jar="b")),
        on="sent codes",
    ),
    scenario(
        "two users of one browser",
        *(*ENROLLED, sign_up("bob@example.com")),
        *(post("/two-factor/enable", PASSWORD, label="bob"), verify(Code("bob", 0), label="confirm")),
        *(sign_in(), sign_in("bob@example.com"), verify(Code("enable", 0)), verify(Code("bob", 1))),
        on="plugins",
    ),
    scenario(
        "a device that somebody else trusts",
        *(*ENROLLED, sign_in(jar="b"), verify(Code("enable", 0), jar="b", trustDevice=True)),
        sign_up("bob@example.com", jar="c"),
        post("/two-factor/enable", PASSWORD, label="bob", jar="c"),
        verify(Code("bob", 0), label="confirm", jar="c"),
        *(sign_in("bob@example.com", jar="b"), sign_in(jar="b", label="ann again")),
        on="plugins",
    ),
    *[
        scenario(
            f"a trust that is {name}",
            *(*ENROLLED, Put("better-auth.trust_device", value, "b"), sign_in(jar="b")),
            *(Put("better-auth.trust_device", value), post("/two-factor/disable", PASSWORD)),
            on="plugins",
        )
        for name, value in (("empty", ""), ("no cookie", "x.y"), ("a session", HeldValue("session_token")))
    ],
    scenario(
        "a trust from before it was turned off",
        *(*ENROLLED, sign_in(jar="b"), verify(Code("enable", 0), jar="b", trustDevice=True)),
        *(post("/two-factor/disable", PASSWORD), post("/two-factor/enable", PASSWORD, label="second")),
        *(verify(Code("second", 0), label="confirm"), sign_in(jar="b", label="again")),
        on="plugins",
    ),
    *[
        scenario(
            f"it was turned off meanwhile, {name}",
            *(*first, sign_in(jar="b"), send(jar="b"), post("/two-factor/disable", PASSWORD)),
            *(verify("000000", jar="b"), backup("aaaaa-bbbbb", jar="b"), check(jar="b"), whoami(jar="b")),
            on="sent codes",
        )
        for name, first in (("with an app", ENROLLED), ("with codes", (sign_up(), BY_OTP)))
    ],
    scenario(
        "the user is gone",
        *(*ENROLLED, sign_in(jar="b"), REVOKED, Statement('delete from "twoFactor"')),
        *(Statement("delete from account"), Statement('delete from "user"')),
        *(verify(Code("enable", 0), jar="b"), backup(saved(0), jar="b"), send(jar="b"), check("000000", jar="b")),
        *every(PASSWORD),
        on="sent codes",
    ),
    *[
        scenario(
            f"a session that was revoked, {configuration}",
            *(*ENROLLED, send(), REVOKED, verify(Code("enable", 0)), backup(saved(0)), send(label="again"), check()),
            whoami("?disableCookieCache=true"),
            on=configuration,
        )
        for configuration in ("sent codes", "copied codes")
    ],
    *[
        scenario(
            f"a session that was revoked before {step}",
            *(sign_up(), *before, REVOKED, step, whoami("?disableCookieCache=true")),
            on="copied codes",
        )
        for step, before in ((verify(Code("enable", 0)), (enable(),)), (send(), ()), (check(), (send(),)))
    ],
    scenario(
        "a session that was revoked beside a challenge",
        *(*ENROLLED, sign_up("bob@example.com", jar="b"), sign_in(jar="c", rememberMe=False), REVOKED),
        Put("better-auth.two_factor", HeldValue("two_factor", "c"), "b"),
        *(verify(Code("enable", 0), jar="b", trustDevice=True), whoami(jar="b")),
        on="copied codes",
    ),
    scenario("forms", sign_up(), *every(b"password=password123&code=000000", media=FORM), on="plugins"),
    scenario("text", sign_up(), *every(b'{"password":"password123","code":"1"}', media="text/plain"), on="plugins"),
    scenario("in the address", sign_up(), *every({}, end="?password=password123&code=000000"), on="plugins"),
    scenario(
        "other paths",
        *(sign_up(), *every(BOTH, end="/"), *every(BOTH, start="/two-factor//"), *every(BOTH, start="/Two-Factor/")),
        on="plugins",
    ),
    *[
        scenario(
            f"by {method}",
            *(sign_up(), *[call(method, f"/two-factor/{path}") for path in PATHS if path != "get-totp-uri"]),
            on="plugins",
        )
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
    ],
    scenario(
        "further fields",
        sign_up(),
        post("/two-factor/enable", {**PASSWORD, "userId": "x", "verified": True, "secret": "a"}, label="enable"),
        post("/two-factor/verify-totp", {"code": Code("enable", -1), "userId": "x"}, label="confirm"),
        *[post(f"/two-factor/{path}", {**PASSWORD, "x": 1}) for path in ("generate-backup-codes", "disable")],
        on="plugins",
    ),
    scenario(
        "fields that are given twice",
        sign_up(),
        post("/two-factor/enable", b'{"password":"nope","password":"password123"}', media=JSON, label="enable"),
        post("/two-factor/verify-totp", b'{"code":"1","code":"2","__proto__":{"a":1}}', media=JSON),
        on="plugins",
    ),
    scenario(
        "long passwords and codes",
        *(*ENROLLED, *[step for path in ("disable", "get-totp-uri") for step in each(path, LONG)]),
        *(*each("generate-backup-codes", LONG), verify("1" * 100_000), backup("x" * 100_000), whoami()),
        on="plugins",
    ),
    scenario(
        "issuers",
        *[
            step
            for number, issuer in enumerate(
                ("", " ", "a/b?c#d&e=f", "日本", "%41", "\0", "a\nb", "x'()*!~", "x" * 5000)
            )
            for step in (
                sign_up(f"u{number}@example.com", jar=f"j{number}", label=f"user {number}"),
                post("/two-factor/enable", {**PASSWORD, "issuer": issuer}, jar=f"j{number}", label=repr(issuer[:9])),
            )
        ],
        on="plugins",
    ),
    scenario(
        "who is not remembered",
        *(sign_up(rememberMe=False), enable(), verify(Code("enable", 0), label="confirm"), whoami()),
        *(post("/two-factor/disable", PASSWORD), whoami(label="turned off")),
        on="plugins",
    ),
    *[
        scenario(
            f"a row that {name}",
            *(*ENROLLED, sign_in(jar="b"), Statement(change)),
            *(verify("000000", jar="b"), backup(saved(0), jar="b"), verify(Code("enable", 0), jar="b")),
            on="plugins",
        )
        for name, change in (
            ("is about to be locked", 'update "twoFactor" set "failedVerificationCount" = 9'),
            ("counts nothing", 'update "twoFactor" set "failedVerificationCount" = null'),
            ("counts too much", 'update "twoFactor" set "failedVerificationCount" = 100'),
            ("does not say whether it is verified", 'update "twoFactor" set verified = null'),
            (
                "has no readable count of attempts",
                "update verification set value = 'x' where identifier like '2fa-attempts%'",
            ),
            ("has no count of attempts", "delete from verification where identifier like '2fa-attempts%'"),
            ("has no readable secret", "update \"twoFactor\" set secret = '00'"),
            ("has no readable backup codes", 'update "twoFactor" set "backupCodes" = \'00\''),
        )
    ],
    scenario(
        "signing in where codes are kept elsewhere",
        *(*ENROLLED, sign_in(jar="b"), verify("000000", jar="b"), verify(Code("enable", 0), jar="b", trustDevice=True)),
        *(post("/sign-out", jar="b"), sign_in(jar="b", label="trusted"), sign_in(jar="c", rememberMe=False)),
        *(send(jar="c"), check("000000", jar="c"), check(jar="c"), whoami(jar="c"), send(), check(label="signed in")),
        *(post("/two-factor/disable", PASSWORD), whoami(jar="c", label="turned off")),
        on="codes elsewhere",
    ),
]
