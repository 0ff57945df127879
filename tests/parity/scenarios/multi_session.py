"""Several users in one browser: who is there, who is active, and what ends."""

from typing import Any
from urllib.parse import quote

from parity.scenario import (
    FORM,
    Call,
    Code,
    Copy,
    Forget,
    Header,
    Held,
    HeldValue,
    Mail,
    Put,
    Statement,
    Step,
    call,
    forged,
    get,
    post,
    reply,
    scenario,
    shift,
    sign_in,
    sign_up,
    tampered,
    unsigned,
    whoami,
)
from parity.scenarios.password_reset import WRONG

LIST = get("/multi-session/list-device-sessions")
START = "better-auth.session_token_multi-"
SECURE = f"__Secure-{START}"


def signed_by_nothing(value: str) -> str:
    return f"{unsigned(value)}."


def emptied(_: str) -> str:
    return ""


def person(name: str, **rest: Any) -> Call:
    return sign_up(f"{name}@example.com", label=name, **rest)


def activate(token: object, label: str = "", **rest: Any) -> Call:
    return post("/multi-session/set-active", {"sessionToken": token}, label=label, **rest)


def revoke(token: object, label: str = "", **rest: Any) -> Call:
    return post("/multi-session/revoke", {"sessionToken": token}, label=label, **rest)


def token_of(name: str, template: str = "{}") -> object:
    return reply(name, "token", template=template)


def named(value: str) -> str:
    return unsigned(value).lower()


def planted(change: Any, start: str = START, *, victim: str = "b", jar: str = "a") -> Put:
    """Put a cookie for the session of another browser into a jar, with a value that is made of its cookie."""
    name = HeldValue("session_token", victim, f"{start}{{}}", named)
    return Put(name, HeldValue("session_token", victim, change=lambda value: quote(change(value), safe="%.")), jar)


RENEWED = {"currentPassword": "password123", "newPassword": "password123", "revokeOtherSessions": True}
ANN_AND_BOB: tuple[Step, ...] = (person("ann"), person("bob"))

MULTI_SESSION = [
    scenario("one user", person("ann"), LIST, whoami(), on="several"),
    scenario(
        "two users",
        *ANN_AND_BOB,
        whoami(label="bob is active"),
        activate(token_of("ann"), "ann again"),
        whoami(label="ann is active"),
        activate(token_of("ann"), "ann twice"),
        revoke(token_of("ann"), "ann leaves"),
        whoami(label="bob goes on"),
        LIST,
        revoke(token_of("bob"), "bob leaves"),
        whoami(label="nobody"),
        get("/multi-session/list-device-sessions", label="nobody is listed"),
        on="several",
    ),
    scenario(
        "who is not active leaves",
        *ANN_AND_BOB,
        revoke(token_of("ann"), "ann leaves"),
        whoami(),
        LIST,
        activate(token_of("ann"), "ann is gone"),
        revoke(token_of("ann"), "ann leaves twice"),
        on="several",
    ),
    scenario("the same user again", person("ann"), sign_in(), whoami(), LIST, on="several"),
    scenario(
        "the same user again, beside another",
        *ANN_AND_BOB,
        sign_in(label="ann again"),
        activate(token_of("ann"), "the old session"),
        activate(token_of("bob"), "bob"),
        activate(token_of("ann again"), "the new session"),
        on="several",
    ),
    scenario("a wrong password", person("ann"), sign_in("ann@example.com", "nope"), LIST, on="several"),
    scenario(
        "all sign out",
        *ANN_AND_BOB,
        person("eve", jar="b"),
        Copy("a", "c"),
        post("/sign-out"),
        whoami(),
        whoami(jar="c", label="bob elsewhere"),
        activate(token_of("ann"), "ann elsewhere", jar="c"),
        whoami(jar="b", label="eve"),
        on="several",
    ),
    scenario("nobody signs out", post("/sign-out"), LIST, on="several"),
    *[
        scenario(
            f"a cookie that is {name}",
            person("eve", jar="b"),
            *([person("ann")] if signs_in else []),
            planted(change),
            LIST,
            activate(token_of("eve"), "eve"),
            revoke(token_of("eve"), "eve leaves"),
            post("/sign-out"),
            whoami(jar="b", label="eve is there"),
            on="several",
        )
        for name, change in (
            ("signed by another secret", forged),
            ("not signed", unsigned),
            ("tampered with", tampered),
            ("signed by nothing", signed_by_nothing),
            ("empty", emptied),
        )
        for signs_in in (True,)
    ],
    scenario(
        "a genuine cookie that was copied",
        person("eve", jar="b"),
        planted(str),
        LIST,
        activate(token_of("eve"), "eve"),
        whoami(),
        on="several",
    ),
    *[
        scenario(
            f"tokens of another kind at {path}",
            person("ann"),
            *[
                post(f"/multi-session/{path}", {"sessionToken": value}, label=repr(value)[:20])
                for value in (*WRONG, "x", "; x=", "A" * 32, "\u0130" * 3, "x" * 100_000, "\0", "日本", " ")
            ],
            post(f"/multi-session/{path}", b"sessionToken=x", media=FORM, label="a form"),
            post(f"/multi-session/{path}?sessionToken=x", {}, label="in the address"),
            post(f"/multi-session/{path}/", {"sessionToken": "x"}, label="with a slash"),
            post(f"/multi-session/{path}", {}),
            post(f"/multi-session/{path}", label="nothing"),
            get(f"/multi-session/{path}"),
            on="several",
        )
        for path in ("set-active", "revoke")
    ],
    scenario(
        "by other methods",
        person("ann"),
        *[
            call(method, f"/multi-session/{path}")
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
            for path in ("list-device-sessions", "set-active", "revoke")
            if (method, path) not in {("POST", "set-active"), ("POST", "revoke")}
        ],
        on="several",
    ),
    scenario(
        "cookies that are given twice",
        *ANN_AND_BOB,
        revoke(token_of("ann"), "ann leaves"),
        get("/multi-session/list-device-sessions", headers={"cookie": Held(template="{0}; {0}")}),
        post("/sign-out", headers={"cookie": Held(template="{0}; {0}")}),
        on="several",
    ),
    scenario(
        "sessions that were revoked while their copies are left",
        *(person("ann"), person("bob"), Statement("delete from session"), LIST),
        *(activate(token_of("ann"), "ann"), revoke(token_of("bob"), "bob leaves")),
        on="several and secure",
    ),
    scenario(
        "without a session",
        LIST,
        activate("x"),
        revoke("x"),
        person("ann"),
        Forget("session_token"),
        whoami(),
        LIST,
        revoke(token_of("ann"), "ann leaves"),
        activate(token_of("ann"), "ann is back"),
        whoami(label="ann"),
        on="several",
    ),
    scenario(
        "in other letters",
        *ANN_AND_BOB,
        Statement("update session set token = token"),
        activate(token_of("ann", "{} "), "with a space"),
        activate(token_of("ann", "x{}"), "with an x"),
        on="several",
    ),
    scenario(
        "sessions that ended elsewhere",
        *ANN_AND_BOB,
        sign_in(jar="b"),
        post("/revoke-other-sessions", jar="b"),
        LIST,
        activate(token_of("ann"), "ann"),
        LIST,
        on="several",
    ),
    scenario(
        "sessions that are over",
        person("ann"),
        shift("session", "expiresAt", -8 * 86400),
        person("bob"),
        LIST,
        activate(token_of("ann"), "ann"),
        revoke(token_of("bob"), "bob leaves"),
        on="several",
    ),
    scenario(
        "users who are gone",
        *ANN_AND_BOB,
        Statement('delete from "user" where email = ?', ("ann@example.com",)),
        LIST,
        activate(token_of("ann"), "ann"),
        on="several",
    ),
    scenario(
        "six users",
        *[person(f"u{number}") for number in range(1, 7)],
        whoami(),
        activate(token_of("u6"), "the sixth"),
        activate(token_of("u1"), "the first"),
        activate(token_of("u5"), "the fifth"),
        revoke(token_of("u1"), "the first leaves"),
        sign_in("u6@example.com", label="the sixth comes back"),
        activate(token_of("the sixth comes back"), "to stay"),
        on="several",
    ),
    scenario(
        "sessions that have ended where two are allowed",
        person("ann"),
        *[post("/change-password", RENEWED, label=f"renewed {number}") for number in (1, 2)],
        person("bob"),
        LIST,
        on="several and secure",
    ),
    scenario(
        "three users where two are allowed",
        person("ann"),
        person("bob"),
        person("eve"),
        whoami(),
        activate(token_of("ann"), "ann"),
        whoami(label="ann is active"),
        activate(token_of("eve"), "eve"),
        revoke(token_of("ann"), "ann leaves"),
        whoami(label="bob is active"),
        post("/sign-out"),
        on="several and secure",
    ),
    *[
        scenario(
            f"a secure cookie that is {name}",
            person("eve", jar="b"),
            person("ann"),
            planted(change, SECURE),
            LIST,
            post("/sign-out"),
            whoami("?disableCookieCache=true", jar="b", label="eve is there"),
            on="several and secure",
        )
        for name, change in (("signed by another secret", forged), ("not signed", unsigned))
    ],
    scenario(
        "not remembered",
        sign_up("ann@example.com", rememberMe=False, label="ann"),
        LIST,
        person("bob"),
        activate(token_of("ann"), "ann"),
        whoami(),
        on="several",
    ),
    scenario(
        "remembered, then not",
        person("ann"),
        sign_up("bob@example.com", rememberMe=False, label="bob"),
        activate(token_of("ann"), "ann"),
        revoke(token_of("ann"), "ann leaves"),
        whoami(),
        on="several",
    ),
    scenario(
        "a session in use",
        person("ann"),
        shift("session", "expiresAt", -2 * 86400),
        whoami(),
        Forget("session_token_multi-"),
        LIST,
        on="several",
    ),
    scenario(
        "a cookie that was lost comes back",
        person("ann"),
        Copy("a", "b"),
        Put(HeldValue("session_token", "a", f"{START}{{}}", named), "x", "b"),
        post("/update-user", {"name": "x"}, jar="b", label="with another value"),
        post("/update-user", {"name": "y"}, label="with its own"),
        on="several",
    ),
    scenario(
        "a bearer",
        person("ann"),
        person("bob", jar="b"),
        whoami(headers={"authorization": token_of("bob", "Bearer {}")}, jar="c"),
        get(
            "/multi-session/list-device-sessions",
            headers={"authorization": token_of("bob", "Bearer {}")},
            jar="c",
            label="nothing but a token",
        ),
        revoke(token_of("bob"), "bob leaves", headers={"authorization": token_of("bob", "Bearer {}")}, jar="c"),
        activate(token_of("ann"), "ann", headers={"authorization": Header("bob", "set-auth-token", "Bearer {}")}),
        revoke(token_of("ann"), "ann leaves", headers={"authorization": Header("bob", "set-auth-token", "Bearer {}")}),
        post("/update-user", {"name": "x"}, headers={"authorization": token_of("bob", "Bearer {}")}, jar="d"),
        on="several",
    ),
    scenario(
        "by a link",
        person("bob"),
        post("/sign-in/magic-link", {"email": "ann@example.com"}, jar="z"),
        get(Mail("magic-link", "url"), label="the link"),
        whoami(),
        activate(token_of("bob"), "bob"),
        on="several",
    ),
    scenario(
        "by a second step",
        person("ann"),
        post("/two-factor/enable", {"password": "password123"}, label="enable"),
        post("/two-factor/verify-totp", {"code": Code("enable", -1)}, label="confirm"),
        person("bob", jar="b"),
        sign_in(jar="b", label="first step"),
        activate(token_of("bob"), "bob in between", jar="b"),
        post("/two-factor/verify-totp", {"code": Code("enable", 0), "trustDevice": True}, jar="c", label="nobody"),
        on="several",
    ),
    scenario(
        "a second step beside somebody else",
        person("ann"),
        post("/two-factor/enable", {"password": "password123"}, label="enable"),
        post("/two-factor/verify-totp", {"code": Code("enable", -1)}, label="confirm"),
        post("/sign-out"),
        person("bob"),
        sign_in(label="first step"),
        post("/two-factor/verify-totp", {"code": Code("enable", 0), "trustDevice": True}, label="second step"),
        activate(token_of("bob"), "bob"),
        activate(token_of("second step"), "ann"),
        on="several",
    ),
    scenario(
        "a new password",
        *ANN_AND_BOB,
        post(
            "/change-password",
            {"currentPassword": "password123", "newPassword": "another-password", "revokeOtherSessions": True},
        ),
        activate(token_of("ann"), "ann"),
        activate(token_of("bob"), "bob, as he was"),
        on="several",
    ),
    scenario(
        "every session of one user is revoked",
        *ANN_AND_BOB,
        post("/revoke-sessions"),
        whoami(),
        activate(token_of("ann"), "ann"),
        activate(token_of("bob"), "bob"),
        on="several",
    ),
    scenario(
        "a user is deleted",
        *ANN_AND_BOB,
        post("/delete-user", {"password": "password123"}),
        whoami(),
        activate(token_of("ann"), "ann"),
        on="several",
    ),
    scenario(
        "cookies that are alike",
        person("ann"),
        Put("other_multi-x", "y"),
        Put("better-auth.session_token_multi", "y"),
        Put("better-auth.session_token_multi-", "y"),
        person("bob"),
        LIST,
        post("/sign-out"),
        on="several",
    ),
    scenario(
        "two users in secondary storage",
        *ANN_AND_BOB,
        activate(token_of("ann"), "ann"),
        whoami(),
        revoke(token_of("ann"), "ann leaves"),
        whoami(label="bob goes on"),
        sign_in("bob@example.com", label="bob again"),
        post("/sign-out"),
        on="several elsewhere",
    ),
    scenario(
        "two users without a store",
        *ANN_AND_BOB,
        LIST,
        activate(token_of("ann"), "ann"),
        whoami(),
        post("/sign-out"),
        on="several without a store",
    ),
    scenario(
        "foreign pages",
        person("ann"),
        person("bob"),
        activate(token_of("ann"), "ann", headers={"origin": "https://evil.test"}),
        revoke(token_of("ann"), "ann leaves", headers={"origin": "https://evil.test"}),
        whoami(),
        on="several",
    ),
]
