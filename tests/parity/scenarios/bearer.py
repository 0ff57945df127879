"""Sessions by Authorization header."""

from parity.scenario import Call, Header, forged, get, post, reply, scenario, sign_in, sign_up, whoami
from parity.scenarios.bodies import raw
from parity.servers import ORIGIN

NO_ORIGIN = {"origin": None}


def bearing(label: str, template: str, **rest: object) -> Call:
    authorization = Header("in", "set-auth-token", template)
    return whoami(headers={"authorization": authorization, **NO_ORIGIN}, jar="b", label=label)


def with_token(template: str) -> dict[str, object]:
    return {"authorization": reply("in", "token", template=template), **NO_ORIGIN}


BEARER = [
    scenario(
        "forms of the header",
        sign_up(label="in"),
        *[
            bearing(template, template)
            for template in (
                "Bearer {}",
                "bearer {}",
                "BEARER {}",
                "Bearer  {}",
                "Bearer\t{}",
                "Bearer{}",
                "Token {}",
                "{}",
                "Bearer {} ",
                "Bearer {} x",
                "Bearer {}x",
                "Bearer {}%3D",
                'Bearer "{}"',
                " Bearer {}",
            )
        ],
        *[
            whoami(headers=with_token(template), jar="b", label=f"raw {template}")
            for template in (
                "Bearer {}",
                "bearer {}",
                "Bearer {}x",
                "Bearer x{}",
                "Bearer {}.",
                "Bearer {}.x",
                "Bearer .{}",
                "Bearer {}.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=",
                "Basic {}",
            )
        ],
        *[
            whoami(headers={"authorization": text, **NO_ORIGIN}, jar="b", label=repr(text))
            for text in ("Bearer", "Bearer ", "Bearer .", "Bearer a.b.c", "Bearer %zz", "", "Bearer " + "x" * 3000)
        ],
        on="bearer",
    ),
    scenario(
        "the percent-encoded form",
        sign_up(label="in"),
        get("/get-session", headers={"authorization": Header("in", "set-cookie", "Bearer {}"), **NO_ORIGIN}, jar="b"),
        on="bearer",
    ),
    scenario(
        "a bearer uses every endpoint",
        sign_up(label="in"),
        get("/list-sessions", headers=with_token("Bearer {}"), jar="b"),
        post("/update-user", {"name": "x"}, headers=with_token("Bearer {}"), jar="c"),
        post(
            "/change-password",
            {"currentPassword": "password123", "newPassword": "another-password", "revokeOtherSessions": True},
            headers=with_token("Bearer {}"),
            jar="d",
        ),
        whoami(headers=with_token("Bearer {}"), jar="e"),
        on="bearer",
    ),
    scenario(
        "a bearer signs out",
        sign_up(label="in"),
        post("/sign-out", headers=with_token("Bearer {}"), jar="b"),
        whoami(),
        on="bearer",
    ),
    scenario(
        "a bearer beside cookies",
        sign_up(label="in"),
        sign_up("bob@example.com", jar="b"),
        whoami(headers={"authorization": reply("in", "token", template="Bearer {}")}, jar="b"),
        whoami(headers={"authorization": "Bearer nope"}, jar="b", label="a wrong one"),
        post(
            "/sign-out",
            headers={"authorization": reply("in", "token", template="Bearer {}"), "origin": None},
            jar="b",
            label="no origin",
        ),
        on="bearer",
    ),
    scenario(
        "a bearer from another site",
        sign_up(label="in"),
        post(
            "/update-user", {"name": "x"}, headers={**with_token("Bearer {}"), "origin": "https://evil.test"}, jar="b"
        ),
        post(
            "/sign-in/email",
            {"email": "x@y.zz", "password": "x"},
            headers={**with_token("Bearer {}"), "origin": "https://evil.test"},
            jar="b",
        ),
        post(
            "/update-user",
            {"name": "y"},
            headers={
                **with_token("Bearer {}"),
                "origin": ORIGIN,
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
            },
            jar="b",
        ),
        on="bearer",
    ),
    scenario(
        "which replies carry the token",
        sign_up(),
        sign_in(),
        sign_in(rememberMe=False),
        sign_in(password="nope"),
        whoami(),
        post("/update-user", {"name": "x"}),
        post("/sign-out"),
        on="bearer",
    ),
    scenario("null where hooks read the body first", raw(b"null", path="/sign-out"), on="bearer"),
    scenario(
        "a token that another secret signed",
        sign_up(label="in"),
        whoami(
            headers={"authorization": reply("in", "token", template="Bearer " + forged("{}.x")), **NO_ORIGIN}, jar="b"
        ),
        on="bearer",
    ),
]
