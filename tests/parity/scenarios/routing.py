"""Which requests reach an endpoint at all."""

from parity.scenario import call, get, post, scenario

BASE = "/api/auth"

ROUTING = [
    scenario("the two pages of the core", get("/ok"), get("/error"), get("/error?error=access_denied")),
    scenario("the error page with a code", get("/error?error=state_mismatch&error_description=x%3Cb%3E")),
    scenario(
        "an unknown path", get("/nope"), post("/nope", {}), get(""), get("/"), get("=/"), get("=/api"), get("=/ok")
    ),
    scenario(
        "a wrong method",
        *[call(method, "/ok") for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND")],
        *[call(method, "/sign-in/email") for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS")],
        *[call(method, "/get-session") for method in ("HEAD", "OPTIONS", "PUT", "DELETE")],
        *[call(method, "/sign-out") for method in ("GET", "HEAD")],
        *[call(method, "/list-sessions") for method in ("POST", "HEAD")],
    ),
    scenario("get-session by POST", post("/get-session"), post("/get-session", {})),
    scenario(
        "a path that is not written as declared",
        *[get(path) for path in ("/ok/", "/ok//", "//ok", "/OK", "/Ok", "/ok/x", "/get-session/", "/Get-Session")],
        *[
            get(f"={path}")
            for path in ("//api/auth/ok", "/api//auth/ok", "/API/auth/ok", "/x/api/auth/ok", "/api/authok")
        ],
        post("/sign-out/"),
        post("/sign-in/email/"),
    ),
    scenario(
        "a path that is encoded",
        *[get(path) for path in ("/%6fk", "/o%6B", "/ok%2f", "%2fok", "/ok%20", "/ok%00", "/%zz", "/ok%")],
        *[get(path) for path in ("/ok;x=1", "/ok?", "/ok?a=1&a=2", "/ok#x", "/ö")],
        get("=/api%2fauth/ok"),
    ),
    scenario(
        "a path with dots",
        *[get(path) for path in ("/./ok", "/x/../ok", "/%2e/ok", "/x/%2e%2e/ok", "/..", "/../auth/ok", "/.ok")],
    ),
    scenario("a path with backslashes", get("/x\\..\\ok"), get("\\ok"), get("=\\api\\auth\\ok")),
    scenario(
        "a whole URL as the target", get(f"=http://localhost:4000{BASE}/ok"), get(f"=http://else.example{BASE}/ok")
    ),
    scenario(
        "an unknown path with cookies and no origin", post("/nope", {}, headers={"cookie": "a=b", "origin": None})
    ),
    scenario("an endpoint that only servers call", post("/set-password", {"newPassword": "password123"})),
]
