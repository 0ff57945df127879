"""Reading the present session, and prolonging it."""

from collections.abc import Callable
from urllib.parse import unquote

from parity.scenario import (
    Call,
    Held,
    HeldValue,
    Replace,
    Statement,
    fill,
    forged,
    get,
    post,
    scenario,
    shift,
    sign_in,
    sign_up,
    tampered,
    unsigned,
    whoami,
)

DAY = 24 * 3600
NAME = "better-auth.session_token"


def presented(label: str, template: str, change: Callable[[str], str] = str) -> Call:
    """Ask who is signed in, with a cookie header made of the token that jar `a` holds."""
    return whoami(headers={"cookie": HeldValue("session_token", "a", template, change)}, jar="b", label=label)


SESSIONS = [
    scenario("nobody is signed in", whoami(), post("/get-session"), whoami(headers={"cookie": "a=b"})),
    scenario(
        "forms of the cookie",
        sign_up(),
        presented("as it came", NAME + "={}"),
        presented("decoded", NAME + "={}", change=unquote),
        presented("quoted", NAME + '="{}"'),
        presented("decoded and quoted", NAME + '="{}"', change=unquote),
        presented("among others", "a=b; " + NAME + "={}; c=d"),
        presented("without spaces", "a=b;" + NAME + "={};c=d"),
        presented("with spaces", "a=b;  " + NAME + " = {} "),
        presented("twice, the good one first", NAME + "={}; " + NAME + "=x.y"),
        presented("twice, the good one last", NAME + "=x.y; " + NAME + "={}"),
        presented("in upper case", NAME.upper() + "={}"),
        presented("with the prefix of secure cookies", "__Secure-" + NAME + "={}"),
        presented("with another prefix", "auth.session_token={}"),
        presented("tampered", NAME + "={}", change=tampered),
        presented("signed by another secret", NAME + "={}", change=forged),
        presented("not signed", NAME + "={}", change=unsigned),
        presented("not signed, with a dot", NAME + "={}.", change=unsigned),
        presented("with a tail", NAME + "={}x"),
        presented("cut", NAME + "={}", change=lambda value: value[:-4]),
        presented("with broken encoding", NAME + "=%zz{}"),
        presented("encoded twice", NAME + "={}", change=lambda value: value.replace("%", "%25")),
        *[
            whoami(headers={"cookie": text}, jar="b", label=text)
            for text in (NAME, f"{NAME}=", f"{NAME}=.", f"{NAME}=a.b.c")
        ],
    ),
    scenario(
        "a signed token that nobody has",
        sign_up(),
        Statement("update session set token = 'abcdefghijklmnopqrstuvwxyzABCDEF'"),
        whoami(),
        get("/list-sessions"),
    ),
    scenario("an expired session", sign_up(), shift("session", "expiresAt", -8 * DAY), whoami(), whoami()),
    scenario("an expired session elsewhere", sign_up(), shift("session", "expiresAt", -8 * DAY), get("/list-sessions")),
    scenario(
        "an expired session at update-user",
        sign_up(),
        shift("session", "expiresAt", -8 * DAY),
        post("/update-user", {"name": "x"}),
    ),
    scenario(
        "a session whose user is gone", sign_up(), Statement('delete from "user"'), whoami(), get("/list-sessions")
    ),
    scenario("a young session is left alone", sign_up(), shift("session", "expiresAt", 60 - DAY), whoami()),
    scenario("an old session is prolonged", sign_up(), shift("session", "expiresAt", -DAY - 60), whoami(), whoami()),
    scenario("by POST", sign_up(), shift("session", "expiresAt", -DAY - 60), post("/get-session")),
    scenario(
        "an old session is prolonged by any endpoint",
        sign_up(),
        shift("session", "expiresAt", -DAY - 60),
        get("/list-sessions"),
    ),
    scenario(
        "by update-user", sign_up(), shift("session", "expiresAt", -DAY - 60), post("/update-user", {"name": "x"})
    ),
    scenario(
        "by revoke-session",
        sign_up(),
        shift("session", "expiresAt", -DAY - 60),
        post("/revoke-session", {"token": "x"}),
    ),
    scenario(
        "not if asked not to", sign_up(), shift("session", "expiresAt", -DAY - 60), whoami("?disableRefresh=true")
    ),
    *[
        scenario(
            f"asked with disableRefresh {value!r}",
            sign_up(),
            shift("session", "expiresAt", -DAY - 60),
            whoami(f"?disableRefresh{value}"),
        )
        for value in ("=false", "=", "", "=1", "=true&disableRefresh=false")
    ],
    *[
        scenario(f"asked with disableCookieCache {value!r}", sign_up(), whoami(f"?disableCookieCache{value}"))
        for value in ("=true", "=false", "=", "", "=abc", "[]=1", "=true&x=y")
    ],
    scenario(
        "not if it was not to be remembered",
        sign_up(rememberMe=False),
        shift("session", "expiresAt", -3600),
        whoami(),
        get("/list-sessions"),
    ),
    scenario(
        "the remember cookie is read only if signed",
        sign_up(rememberMe=False),
        Replace("dont_remember", tampered),
        whoami(),
    ),
    scenario(
        "dates are read in other forms",
        sign_up(),
        Statement("update session set \"expiresAt\" = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '7 days')"),
        whoami(),
        Statement("delete from session"),
    ),
    scenario(
        "a nullable column", sign_up(), Statement('update session set "ipAddress" = null, "userAgent" = null'), whoami()
    ),
    scenario("a verified user", sign_up(), fill("user", "emailVerified", True), whoami()),
    scenario(
        "a fresh session is asked for",
        sign_up(),
        get("/list-sessions"),
        shift("session", "createdAt", 60 - DAY),
        get("/list-sessions", label="almost a day old"),
        shift("session", "createdAt", -120),
        get("/list-sessions", label="a day old"),
        whoami(),
        post("/revoke-sessions", label="needs no freshness"),
    ),
    scenario(
        "freshness counts from sign-in",
        sign_up(),
        shift("session", "createdAt", -2 * DAY),
        shift("session", "updatedAt", 0),
        get("/list-sessions"),
        sign_in(),
        get("/list-sessions"),
    ),
    scenario(
        "two users",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        whoami(),
        whoami(jar="b"),
        whoami(headers={"cookie": Held("b")}),
    ),
]
