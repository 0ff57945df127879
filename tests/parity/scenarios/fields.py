"""Fields of every kind that an application adds to users, in tables under names of its own."""

from typing import Any

from parity.scenario import (
    Code,
    Reply,
    Scenario,
    get,
    post,
    scenario,
    sign_in,
    sign_up,
    whoami,
)

FULL: dict[str, Any] = {
    "plan": "pro",
    "nickname": "Zoë",
    "age": 0,
    "score": 1.25,
    "isPublic": True,
    "bornAt": "2001-02-03T04:05:06.789Z",
    "settings": {"a": [1, None, {"b": "c"}]},
    "tags": ["a", '["b"]', "é"],
    "lucky": [1, 2.5],
    "note": "n",
    "handle": "h",
}
CHANGES: tuple[dict[str, Any], ...] = (
    FULL,
    *({name: value} for name, value in FULL.items()),
    *({name: None} for name in ("nickname", "age", "bornAt", "settings", "lucky", "note", "handle")),
    {"tags": []},
    {"settings": {}},
    {"bornAt": "2001-02-03"},
    {"role": "admin"},
    {"role": None},
    {"reviewer": "x"},
    {"reviewer": ""},
    {"role": "admin", "plan": "pro"},
    {"emailVerified": True, "id": "x", "createdAt": "2020-01-01T00:00:00.000Z"},
)
FORGED: tuple[dict[str, Any], ...] = (
    {"role": "admin"},
    {"reviewer": "x"},
    {"reviewer": []},
    *({"reviewer": value} for value in (None, "", 0, False)),
    {"emailVerified": True, "id": "x", "createdAt": "2020-01-01T00:00:00.000Z", "banned": True},
)
UNFIT: tuple[dict[str, Any], ...] = ({"plan": "gold"}, {"age": "5"}, {"tags": ["a", 1]}, {"isPublic": "yes"})


def _signed_up(name: str, **fields: Any) -> Scenario:
    return scenario(name, sign_up(**fields), whoami(), on="fields")


FIELDS = [
    _signed_up("with every field", **FULL),
    _signed_up("with what is needed", plan="free"),
    _signed_up("without what is needed"),
    *[_signed_up(f"forged {body}", plan="free", **body) for body in FORGED],
    *[_signed_up(f"of another kind {body}", **{"plan": "free", **body}) for body in UNFIT],
    scenario("a short password comes first", sign_up(password="x"), on="fields"),
    *[
        scenario(f"change {body}", sign_up(plan="free"), post("/update-user", body), whoami(), on="fields")
        for body in CHANGES
    ],
    scenario(
        "a chief goes",
        sign_up(plan="free", label="chief"),
        sign_up(jar="b", plan="pro", email="bob@example.com", chiefId=Reply("chief", ("user", "id"))),
        whoami(jar="b"),
        on="fields",
    ),
    scenario(
        "renamed tables",
        sign_up(plan="free", username="ann"),
        sign_in(jar="b"),
        get("/list-sessions"),
        get("/list-accounts"),
        post("/two-factor/enable", {"password": "password123"}),
        post("/sign-out"),
        whoami(),
        whoami(jar="b"),
        on="fields",
    ),
    scenario("a taken address under another name", sign_up(plan="free"), sign_up(jar="b", plan="free"), on="fields"),
    scenario(
        "names in snake case",
        sign_up(username="ann", displayUsername="Ann!"),
        sign_in(jar="b"),
        get("/list-sessions"),
        get("/list-accounts"),
        post("/update-user", {"username": "other"}),
        post("/request-password-reset", {"email": "ann@example.com"}),
        post("/two-factor/enable", {"password": "password123"}, label="enable"),
        post("/two-factor/verify-totp", {"code": Code("enable")}, label="confirm"),
        post("/sign-out"),
        whoami(),
        whoami(jar="b"),
        on="snake",
    ),
    scenario(
        "a taken address looks new",
        sign_up(**FULL),
        sign_up(jar="b", **FULL),
        sign_up(jar="c"),
        sign_up(jar="d", plan="pro", role="admin"),
        sign_up(jar="e", plan="pro", reviewer="x"),
        on="quiet fields",
    ),
]
