"""The second factor: authenticator codes, backup codes and trusted devices."""

from typing import Any

from parity.scenario import (
    Call,
    Code,
    Copy,
    Replace,
    Statement,
    Step,
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

PASSWORD = {"password": "password123"}
WRONG: tuple[object, ...] = (None, 1, True, [], {}, "")


def enable(**rest: Any) -> Call:
    return post("/two-factor/enable", PASSWORD, label="enable", **rest)


def verify(code: object, **fields: Any) -> Call:
    rest = {key: fields.pop(key) for key in ("jar", "label", "headers") if key in fields}
    return post("/two-factor/verify-totp", {"code": code, **fields}, **rest)


def backup(code: object, **fields: Any) -> Call:
    rest = {key: fields.pop(key) for key in ("jar", "label", "headers") if key in fields}
    return post("/two-factor/verify-backup-code", {"code": code, **fields}, **rest)


def saved(index: int) -> object:
    return reply("enable", "backupCodes", index)


ENROLLED: tuple[Step, ...] = (sign_up(), enable(), verify(Code("enable", -1), label="confirm"))

TWO_FACTOR = [
    scenario(
        "a second factor is turned on", sign_up(), enable(), whoami(), verify(Code("enable", 0)), whoami(), on="plugins"
    ),
    scenario(
        "enabling is refused",
        post("/two-factor/enable", PASSWORD),
        sign_up(),
        post("/two-factor/enable", {"password": "nope"}),
        *[post("/two-factor/enable", {"password": value}) for value in WRONG],
        post("/two-factor/enable", {}),
        post("/two-factor/enable", {**PASSWORD, "issuer": 1}),
        post("/two-factor/enable", {**PASSWORD, "method": "sms"}),
        whoami(),
        on="plugins",
    ),
    scenario(
        "another issuer",
        sign_up("o'hara+x@example.com"),
        post("/two-factor/enable", {**PASSWORD, "issuer": "Ünï & Co:1"}),
        on="plugins",
    ),
    scenario(
        "fields of a session go on when the factor is turned on, and off",
        sign_up(),
        post("/update-session", {"theme": "dark", "textSize": 3, "note": "n"}),
        enable(),
        verify(Code("enable", 0), label="confirm"),
        whoami(),
        post("/two-factor/disable", PASSWORD),
        whoami(),
        on="second factors and fields",
    ),
    scenario("enabling by otp", sign_up(), post("/two-factor/enable", {**PASSWORD, "method": "otp"}), on="plugins"),
    scenario("enabling twice", sign_up(), enable(), post("/two-factor/enable", PASSWORD), on="plugins"),
    scenario(
        "enabling again after it is on", *ENROLLED, post("/two-factor/enable", PASSWORD, label="again"), on="plugins"
    ),
    scenario(
        "an account without a password",
        sign_up(),
        Statement("delete from account"),
        post("/two-factor/enable", PASSWORD),
        on="plugins",
    ),
    scenario(
        "a wrong code while enrolling",
        sign_up(),
        enable(),
        verify("000000"),
        verify("x"),
        verify(""),
        whoami(),
        on="plugins",
    ),
    scenario("verifying before enabling", sign_up(), verify("000000"), backup("aaaaa-bbbbb"), on="plugins"),
    scenario(
        "codes of another kind",
        sign_up(),
        enable(),
        *[verify(value) for value in WRONG[:-1]],
        *[backup(value) for value in WRONG],
        post("/two-factor/verify-totp", {}),
        post("/two-factor/verify-backup-code", {}),
        verify("1", trustDevice="x"),
        backup("1", trustDevice="x", disableSession="y"),
        on="plugins",
    ),
    scenario(
        "signing in with a code",
        *ENROLLED,
        sign_in(jar="b"),
        whoami(jar="b"),
        verify(Code("enable", 0), jar="b"),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario("signing in while signed in", *ENROLLED, sign_in(), whoami(), on="plugins"),
    scenario("a new code after it is on", *ENROLLED, verify(Code("enable", 0)), verify("000000"), on="plugins"),
    scenario(
        "not remembered",
        *ENROLLED,
        sign_in(jar="b", rememberMe=False),
        verify(Code("enable", 0), jar="b"),
        whoami(jar="b"),
        post("/sign-out", jar="b"),
        on="plugins",
    ),
    scenario(
        "by username",
        sign_up(username="ann"),
        enable(),
        verify(Code("enable", -1)),
        post("/sign-in/username", {"username": "ann", **PASSWORD}, jar="b"),
        verify(Code("enable", 0), jar="b"),
        on="plugins",
    ),
    scenario("with a callback address", *ENROLLED, sign_in(jar="b", callbackURL="/home"), on="plugins"),
    scenario("a wrong password", *ENROLLED, sign_in(jar="b", password="nope"), on="plugins"),
    scenario(
        "six wrong codes",
        *ENROLLED,
        sign_in(jar="b"),
        *[verify("000000", jar="b", label=f"wrong code {number}") for number in range(1, 8)],
        whoami(jar="b"),
        on="plugins",
    ),
    scenario(
        "wrong codes of many challenges",
        *ENROLLED,
        *[
            step
            for number in range(1, 4)
            for step in (
                sign_in(jar=f"j{number}"),
                *[verify("000000", jar=f"j{number}", label=f"challenge {number} code {code}") for code in range(1, 5)],
            )
        ],
        verify(Code("enable", 0), jar="j3", label="the right one"),
        on="plugins",
    ),
    scenario(
        "a wrong code, then the right one",
        *ENROLLED,
        sign_in(jar="b"),
        verify("000000", jar="b"),
        verify(Code("enable", 0), jar="b"),
        on="plugins",
    ),
    scenario(
        "a challenge works once",
        *ENROLLED,
        sign_in(jar="b"),
        Copy("b", "c"),
        verify(Code("enable", 0), jar="b"),
        verify(Code("enable", 1), jar="c"),
        on="plugins",
    ),
    scenario(
        "a code works in its window",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 3), jar="b"),
        verify(Code("enable", -3), jar="b"),
        verify(Code("enable", 1), jar="b"),
        on="plugins",
    ),
    scenario("a code is used twice", *ENROLLED, sign_in(jar="b"), verify(Code("enable", -1), jar="b"), on="plugins"),
    scenario(
        "an expired challenge",
        *ENROLLED,
        sign_in(jar="b"),
        shift("verification", "expiresAt", -3600),
        verify(Code("enable", 0), jar="b"),
        on="plugins",
    ),
    scenario(
        "a tampered challenge",
        *ENROLLED,
        sign_in(jar="b"),
        Replace("two_factor", tampered, "b"),
        verify(Code("enable", 0), jar="b"),
        on="plugins",
    ),
    scenario(
        "nobody is challenged",
        verify("000000"),
        backup("aaaaa-bbbbb"),
        post("/two-factor/disable", PASSWORD),
        post("/two-factor/get-totp-uri", PASSWORD),
        post("/two-factor/generate-backup-codes", PASSWORD),
        on="plugins",
    ),
    scenario("sign-out while challenged", *ENROLLED, sign_in(jar="b"), post("/sign-out", jar="b"), on="plugins"),
    scenario(
        "a backup code works once",
        *ENROLLED,
        sign_in(jar="b"),
        backup(saved(0), jar="b"),
        whoami(jar="b"),
        sign_in(jar="c"),
        backup(saved(0), jar="c"),
        backup(saved(1), jar="c"),
        on="plugins",
    ),
    scenario(
        "wrong backup codes",
        *ENROLLED,
        sign_in(jar="b"),
        *[backup("aaaaa-bbbbb", jar="b", label=f"wrong {number}") for number in range(1, 8)],
        on="plugins",
    ),
    scenario(
        "a backup code without a session",
        *ENROLLED,
        sign_in(jar="b"),
        backup(saved(0), jar="b", disableSession=True),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario("a backup code while signed in", *ENROLLED, backup(saved(0)), backup(saved(0)), on="plugins"),
    scenario(
        "a backup code that trusts the device",
        *ENROLLED,
        sign_in(jar="b"),
        backup(saved(0), jar="b", trustDevice=True),
        post("/sign-out", jar="b"),
        sign_in(jar="b"),
        on="plugins",
    ),
    scenario(
        "a backup code in other forms",
        *ENROLLED,
        sign_in(jar="b"),
        backup(reply("enable", "backupCodes", 0, template=" {} "), jar="b"),
        backup(reply("enable", "backupCodes", 0, template="{}-"), jar="b"),
        on="plugins",
    ),
    scenario(
        "new backup codes",
        *ENROLLED,
        post("/two-factor/generate-backup-codes", PASSWORD, label="new"),
        sign_in(jar="b"),
        backup(saved(0), jar="b"),
        backup(reply("new", "backupCodes", 9), jar="b"),
        on="plugins",
    ),
    scenario(
        "new backup codes are refused",
        sign_up(),
        post("/two-factor/generate-backup-codes", PASSWORD),
        enable(),
        post("/two-factor/generate-backup-codes", PASSWORD),
        post("/two-factor/generate-backup-codes", {"password": "nope"}),
        post("/two-factor/generate-backup-codes", {}),
        on="plugins",
    ),
    scenario(
        "the address of the secret",
        *ENROLLED,
        post("/two-factor/get-totp-uri", PASSWORD),
        post("/two-factor/get-totp-uri", {"password": "nope"}),
        post("/two-factor/get-totp-uri", {}),
        on="plugins",
    ),
    scenario(
        "the address of no secret",
        sign_up(),
        post("/two-factor/get-totp-uri", PASSWORD),
        enable(),
        post("/two-factor/get-totp-uri", PASSWORD),
        on="plugins",
    ),
    scenario(
        "it is turned off", *ENROLLED, post("/two-factor/disable", PASSWORD), whoami(), sign_in(jar="b"), on="plugins"
    ),
    scenario(
        "turning off is refused",
        *ENROLLED,
        post("/two-factor/disable", {"password": "nope"}),
        post("/two-factor/disable", {}),
        whoami(),
        on="plugins",
    ),
    scenario("turning off what is not on", sign_up(), post("/two-factor/disable", PASSWORD), on="plugins"),
    scenario(
        "a trusted device",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        post("/sign-out", jar="b"),
        Copy("b", "c"),
        sign_in(jar="b", label="trusted"),
        sign_in(jar="c", label="with the old trust"),
        sign_in(jar="b", label="trusted again"),
        on="plugins",
    ),
    scenario(
        "a tampered trust",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        Replace("trust_device", tampered, "b"),
        sign_in(jar="b", label="again"),
        on="plugins",
    ),
    scenario(
        "an expired trust",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        shift("verification", "expiresAt", -31 * 86400),
        sign_in(jar="b", label="again"),
        on="plugins",
    ),
    scenario(
        "trust is for one user",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        post("/sign-out", jar="b"),
        sign_up("bob@example.com", jar="b"),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario(
        "turning off on a trusted device",
        *ENROLLED,
        sign_in(jar="b"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        post("/two-factor/disable", PASSWORD, jar="b"),
        whoami(jar="b"),
        on="plugins",
    ),
    scenario(
        "trust while enrolling",
        sign_up(),
        enable(),
        verify(Code("enable", 0), trustDevice=True),
        sign_in(),
        on="plugins",
    ),
    scenario(
        "a client cannot turn it on by itself",
        sign_up(twoFactorEnabled=True),
        post("/update-user", {"twoFactorEnabled": True}),
        post("/update-user", {"twoFactorEnabled": True, "name": "x"}),
        whoami(),
        on="plugins",
    ),
    scenario(
        "sessions stay when it is turned on",
        sign_up(),
        sign_in(jar="b"),
        enable(),
        verify(Code("enable", 0)),
        whoami(jar="b"),
        get("/list-sessions", jar="b"),
        on="plugins",
    ),
    scenario(
        "a bearer is challenged",
        *ENROLLED,
        sign_in(jar="b", label="first step"),
        verify(Code("enable", 0), jar="b", trustDevice=True),
        sign_in(jar="b", label="trusted"),
        whoami(headers={"authorization": reply("trusted", "token", template="Bearer {}")}, jar="c"),
        on="challenged bearer",
    ),
]
