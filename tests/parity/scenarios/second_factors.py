"""The second factor under other options, and codes that are sent."""

from typing import Any

from parity.scenario import (
    Call,
    Code,
    Copy,
    Mail,
    Statement,
    fill,
    post,
    reply,
    scenario,
    shift,
    sign_in,
    sign_up,
    whoami,
)
from parity.scenarios.two_factor import ENROLLED, PASSWORD, WRONG, backup, enable, saved, verify

BY_OTP = post("/two-factor/enable", {**PASSWORD, "method": "otp"}, label="enable")
OTP = Mail("otp", "otp")


def send(**rest: Any) -> Call:
    return post("/two-factor/send-otp", rest.pop("body", {}), label=rest.pop("label", "send"), **rest)


def check(code: object = OTP, **fields: Any) -> Call:
    rest = {key: fields.pop(key) for key in ("jar", "label") if key in fields}
    return post("/two-factor/verify-otp", {"code": code, **fields}, **rest)


SENT_CODES = [
    scenario("codes are sent from now on", sign_up(), BY_OTP, whoami(), sign_in(jar="b"), on="sent codes"),
    scenario(
        "signing in with a code",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b")),
        *(check(jar="b"), whoami(jar="b"), check(jar="b", label="again")),
        on="sent codes",
    ),
    scenario(
        "an app and codes",
        *ENROLLED,
        sign_in(jar="b"),
        send(jar="b"),
        check("000000", jar="b"),
        check(jar="b"),
        whoami(jar="b"),
        on="sent codes",
    ),
    scenario(
        "six wrong codes",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b")),
        *[check("000000", jar="b", label=f"wrong code {number}") for number in range(1, 7)],
        check(jar="b", label="the right one"),
        *(send(jar="b", label="another"), check(jar="b", label="the other one")),
        on="sent codes",
    ),
    scenario(
        "wrong codes of every kind lock the account",
        *ENROLLED,
        sign_in(jar="b"),
        *[verify("000000", jar="b", label=f"app {number}") for number in range(1, 5)],
        sign_in(jar="c"),
        *[backup("aaaaa-bbbbb", jar="c", label=f"backup {number}") for number in range(1, 4)],
        send(jar="c"),
        *[check("000000", jar="c", label=f"sent {number}") for number in range(1, 4)],
        check(jar="c", label="locked"),
        on="sent codes",
    ),
    scenario(
        "no code was sent",
        sign_up(),
        BY_OTP,
        sign_in(jar="b"),
        check("000000", jar="b"),
        check("000000"),
        on="sent codes",
    ),
    scenario(
        "two codes were sent",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b"), send(jar="b", label="another")),
        *(check(jar="b"), whoami(jar="b")),
        on="sent codes",
    ),
    scenario(
        "a code that has expired",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b")),
        shift("verification", "expiresAt", -400),
        check(jar="b"),
        on="sent codes",
    ),
    scenario(
        "a challenge that has expired",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b")),
        shift("verification", "expiresAt", -3600),
        *(check(jar="b"), send(jar="b", label="another")),
        on="sent codes",
    ),
    scenario(
        "a code for somebody signed in turns it on",
        *(sign_up(), send(), check("000000"), check(), whoami(), sign_in(jar="b")),
        on="sent codes",
    ),
    scenario("a code for somebody who has it on", sign_up(), BY_OTP, send(), check(), whoami(), on="sent codes"),
    scenario(
        "a code confirms nothing about an app",
        *(sign_up(), enable(), send(), check(), sign_in(jar="b"), verify(Code("enable", 0), jar="b")),
        on="sent codes",
    ),
    scenario(
        "a code works for one sign-in",
        *(sign_up(), BY_OTP, sign_in(jar="b"), sign_in(jar="c"), send(jar="b")),
        *(check(jar="c"), check(jar="b")),
        on="sent codes",
    ),
    scenario(
        "a challenge works once",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b")),
        Copy("b", "c"),
        *(check(jar="b"), send(jar="c", label="another"), check(jar="c")),
        on="sent codes",
    ),
    scenario(
        "trusting and not remembering",
        *(sign_up(), BY_OTP, sign_in(jar="b", rememberMe=False), send(jar="b", body={"trustDevice": True})),
        *(check(jar="b", trustDevice=True), post("/sign-out", jar="b"), sign_in(jar="b", label="trusted")),
        on="sent codes",
    ),
    scenario("nobody is challenged", send(), check("000000"), on="sent codes"),
    scenario(
        "bodies of another kind",
        sign_up(),
        *[check(value) for value in WRONG[:-1]],
        post("/two-factor/verify-otp", {}),
        post("/two-factor/send-otp"),
        *(send(body={"trustDevice": 1}, label="send 1"), send(body=[], label="send a list")),
        send(body={"more": 1}, label="send more"),
        on="sent codes",
    ),
    scenario(
        "turning it off", sign_up(), BY_OTP, post("/two-factor/disable", PASSWORD), sign_in(jar="b"), on="sent codes"
    ),
    scenario(
        "an app after codes",
        *(
            sign_up(),
            BY_OTP,
            post("/two-factor/enable", PASSWORD, label="app"),
            verify(Code("app", 0)),
            sign_in(jar="b"),
        ),
        on="sent codes",
    ),
    scenario(
        "new backup codes without an app",
        *(sign_up(), BY_OTP, post("/two-factor/generate-backup-codes", PASSWORD), backup("aaaaa-bbbbb")),
        on="sent codes",
    ),
    scenario("nothing sends codes", sign_up(), send(), check("000000"), on="plugins"),
]
OTHER_OPTIONS = [
    scenario("it is on at once", sign_up(), enable(), whoami(), sign_in(jar="b"), on="further codes"),
    scenario(
        "it is on at once for who tried before",
        *(sign_up(), enable(), fill("twoFactor", "verified", False), enable(), enable()),
        on="further codes",
    ),
    scenario(
        "longer codes",
        *(sign_up(), enable(), sign_in(jar="b"), verify(Code("enable", 0), jar="b", trustDevice=True)),
        *(post("/sign-out", jar="b"), sign_in(jar="b", label="trusted")),
        on="further codes",
    ),
    scenario(
        "the address of the secret", sign_up(), enable(), post("/two-factor/get-totp-uri", PASSWORD), on="further codes"
    ),
    scenario(
        "a shorter list of longer backup codes",
        *(sign_up(), enable(), sign_in(jar="b"), backup(saved(2), jar="b")),
        post("/two-factor/generate-backup-codes", PASSWORD),
        on="further codes",
    ),
    scenario(
        "two attempts at a code",
        *(sign_up(), enable(), sign_in(jar="b"), send(jar="b")),
        *[check("00000000", jar="b", label=f"wrong code {number}") for number in range(1, 3)],
        check(jar="b", label="the right one"),
        on="further codes",
    ),
    scenario(
        "hashed codes", *(sign_up(), enable(), sign_in(jar="b"), send(jar="b"), check(jar="b")), on="further codes"
    ),
    scenario(
        "three wrong codes lock the account",
        *(sign_up(), enable(), sign_in(jar="b")),
        *[verify("00000000", jar="b", label=f"wrong code {number}") for number in range(1, 4)],
        verify(Code("enable", 0), jar="b", label="locked"),
        shift("twoFactor", "lockedUntil", -120),
        verify(Code("enable", 0), jar="b", label="open again"),
        on="further codes",
    ),
    scenario(
        "what only server code asks for",
        *(sign_up(), enable()),
        post("=/__api/viewBackupCodes", {"userId": reply("POST /sign-up/email", "user", "id")}),
        post("=/__api/viewBackupCodes", {"userId": "nobody"}),
        on="further codes",
    ),
    scenario(
        "users without a password",
        sign_up(),
        Statement("delete from account"),
        post("/two-factor/enable", {}, label="enable"),
        verify(Code("enable", 0)),
        *(post("/two-factor/get-totp-uri", {}), post("/two-factor/generate-backup-codes", {})),
        *(post("/two-factor/get-totp-uri", PASSWORD), post("/two-factor/disable", {})),
        on="own codes",
    ),
    scenario(
        "users with a password still say it",
        sign_up(),
        *[
            post("/two-factor/enable", body)
            for body in ({}, {"password": ""}, {"password": "nope"}, {"password": None})
        ],
        enable(),
        verify(Code("enable", 0)),
        *[post(f"/two-factor/{path}", {}) for path in ("get-totp-uri", "generate-backup-codes", "disable")],
        on="own codes",
    ),
    scenario(
        "backup codes of one's own",
        *(sign_up(), enable(), verify(Code("enable", -1)), sign_in(jar="b"), backup("second one", jar="b")),
        post("=/__api/viewBackupCodes", {"userId": reply("POST /sign-up/email", "user", "id")}),
        on="own codes",
    ),
    scenario(
        "codes hashed in one's own way",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b"), check("000000", jar="b"), check(jar="b")),
        on="own codes",
    ),
    scenario(
        "nobody is locked out",
        *(sign_up(), enable(), verify(Code("enable", -1))),
        *[
            step
            for number in range(1, 4)
            for step in (
                sign_in(jar=f"j{number}"),
                *[verify("000000", jar=f"j{number}", label=f"challenge {number} code {code}") for code in range(1, 5)],
            )
        ],
        verify(Code("enable", 0), jar="j3", label="the right one"),
        on="own codes",
    ),
    scenario(
        "no authenticator apps",
        *(sign_up(), enable(), post("/two-factor/get-totp-uri", PASSWORD), verify("000000")),
        *(BY_OTP, sign_in(jar="b"), verify("000000", jar="b"), send(jar="b"), check(jar="b")),
        post("=/__api/generateTOTP", {"secret": "x"}),
        on="sealed codes",
    ),
    scenario(
        "encrypted codes",
        *(sign_up(), BY_OTP, sign_in(jar="b"), send(jar="b"), check("000000", jar="b"), check(jar="b")),
        on="encrypted codes",
    ),
    scenario("a server makes a code", post("=/__api/generateTOTP", {"secret": "x"}), on="plugins"),
]
