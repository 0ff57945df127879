"""The device flow: what a device and its user ask, in which order, and what they are told."""

from typing import Any

from parity.scenario import FORM, JSON, Call, Reply, Scenario, Step, get, post, reply, scenario, shift, sign_up, whoami

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_CODE, USER_CODE = Reply("code", ("device_code",)), Reply("code", ("user_code",))
NO_BROWSER = {"origin": None}
LATER = shift("deviceCode", "lastPolledAt", -6)
"""As if the device had waited for as long as it was told."""


def ask(label: str = "code", **fields: Any) -> Call:
    """Ask for codes, as a device does: without cookies and without an origin."""
    body = {"client_id": "cli", "scope": "read write", **fields}
    return post("/device/code", body, jar="device", headers=NO_BROWSER, label=label)


def poll(label: str = "", **fields: Any) -> Call:
    body = {"grant_type": GRANT, "device_code": DEVICE_CODE, "client_id": "cli", **fields}
    return post("/device/token", body, jar="device", headers=NO_BROWSER, label=label)


def look(jar: str = "a", label: str = "look", code: Reply | str = "") -> Call:
    path = f"/device?user_code={code}" if isinstance(code, str) and code else None
    return get(path or reply("code", "user_code", template="/device?user_code={}"), jar=jar, label=label)


def decide(verb: str, jar: str = "a", code: Any = USER_CODE, label: str = "") -> Call:
    return post(f"/device/{verb}", {"userCode": code}, jar=jar, label=label)


def form(text: str, label: str = "") -> Call:
    return post("/device/code", text.encode(), media=FORM, jar="device", headers=NO_BROWSER, label=label)


def on_devices(name: str, *steps: Step) -> list[Scenario]:
    return [scenario(name, *steps, on="devices")]


APPROVED: tuple[Step, ...] = (sign_up(), ask(), look(), decide("approve"))

CODES_FOR: list[Any] = [{}, {"client_id": ""}, {"client_id": 1}, {"client_id": "cli", "scope": 1}, [], {"x": "y"}]
TOKENS_FOR: list[Any] = [
    {},
    {"grant_type": "password", "device_code": "x", "client_id": "cli"},
    {"grant_type": GRANT, "device_code": "x", "client_id": "cli"},
    {"grant_type": GRANT, "device_code": 1, "client_id": "cli"},
    {"grant_type": GRANT, "device_code": "x"},
]
BODIES: list[Any] = [{}, {"userCode": 1}, {"userCode": "x"}]

DEVICES: list[Scenario] = [
    *on_devices(
        "a device is let in",
        sign_up(),
        ask(),
        poll("too early"),
        look(),
        decide("approve"),
        LATER,
        poll("in"),
        whoami(headers={"authorization": Reply("in", ("access_token",), "Bearer {}"), "origin": None}, jar="device"),
        LATER,
        poll("again"),
    ),
    *on_devices("a device is turned away", sign_up(), ask(), look(), decide("deny"), poll("denied"), poll("gone")),
    *on_devices("a device that is in a hurry", ask(), poll("first"), poll("second"), LATER, poll("third")),
    *on_devices(
        "codes that have expired",
        sign_up(),
        ask(),
        look(),
        shift("deviceCode", "expiresAt", -1801),
        look(label="late"),
        decide("approve", label="late approval"),
        decide("deny", label="late denial"),
        poll("late question"),
        poll("gone"),
    ),
    *on_devices(
        "whose request it is",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        ask(),
        look("nobody", "by nobody"),
        decide("approve", label="not claimed"),
        decide("deny", label="not claimed either"),
        look("b", "bob claims"),
        look("a", "ann looks"),
        look("nobody", "nobody looks"),
        decide("approve", "a", label="ann approves"),
        decide("deny", "a", label="ann denies"),
        decide("approve", "nobody", label="nobody approves"),
        decide("deny", "nobody", label="nobody denies"),
        decide("deny", "b", label="bob denies"),
        decide("approve", "b", label="bob approves after all"),
        look("b", "bob looks again"),
    ),
    *on_devices(
        "for one user only",
        sign_up(label="ann"),
        sign_up("bob@example.com", jar="b"),
        ask(user_id=Reply("ann", ("user", "id"))),
        look("b", "bob looks"),
        decide("approve", "b", label="bob approves"),
        decide("approve", "a", label="ann approves"),
        poll("in"),
    ),
    *on_devices("of another client", *APPROVED, poll("stolen", client_id="other"), poll("in")),
    *on_devices("without a scope", sign_up(), ask(scope=None), ask(scope=""), look(), decide("approve"), poll("in")),
    *on_devices("a user who is gone", ask(user_id="nobody"), look()),
    *[
        each
        for body in CODES_FOR
        for each in on_devices(f"codes for {body!r}", post("/device/code", body, jar="device", headers=NO_BROWSER))
    ],
    *[
        each
        for body in TOKENS_FOR
        for each in on_devices(f"a token for {body!r}", post("/device/token", body, jar="device", headers=NO_BROWSER))
    ],
    *on_devices(
        "codes by a form",
        form("client_id=cli&scope=a+b", "code"),
        form("client_id=cli&client_id=other", "twice"),
        form("client_id=cli&client_id=", "twice, but once empty"),
        form("scope=a", "without a client"),
        form("client_id=", "of an empty client"),
        look("nobody"),
    ),
    *on_devices(
        "a token by a form",
        post("/device/token", f"grant_type={GRANT}&device_code=x&client_id=cli".encode(), media=FORM, jar="device"),
    ),
    *on_devices(
        "spellings of a code",
        sign_up(),
        ask(),
        *[
            get(reply("code", "user_code", template=f"/device?user_code={template}"), label=template)
            for template in ("{}", "%20{}%20", "-{}-", "{}x", "")
        ],
        get("/device"),
        get("/device?user_code=ABCD-EFGH"),
        *[post(f"/device/{verb}", body) for verb in ("approve", "deny") for body in BODIES],
        post("/device/approve", b"{", media=JSON),
    ),
]
