"""The device flow: what a device and its user ask, in which order, and what they are told."""

from typing import Any

from parity.scenario import (
    FORM,
    JSON,
    Call,
    Reply,
    Scenario,
    Statement,
    Step,
    call,
    fill,
    get,
    post,
    reply,
    scenario,
    shift,
    sign_up,
    whoami,
)
from parity.scenarios.rate_limits import times

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


BEARING = {"authorization": Reply("me", ("token",), "Bearer {}"), "origin": None}
LONG = "x" * 5000
ODD: tuple[Any, ...] = (None, True, 1.5, ["cli"], "", " ", "ünï🔐", "a\nb", "'\"><script>", LONG)
FORMS = (
    "client_id=cli&scope=&scope=a",
    "client_id=cli&user_id=&user_id=",
    "client_id=cli&user_id=u&user_id=u",
    "client_id=&client_id=cli",
    "client_id=%20",
    "client_id",
    "=cli",
    "client_id[]=cli",
    "client%5Fid=cli",
    "client_id=%FF",
    "client_id=a%zz",
    "client_id=cli;scope=a",
    "client_id=cli&scope=a%20b+c%2Bd",
    "Client_Id=cli",
    "&&&client_id=cli&",
    f"client_id={LONG}",
)
SPELLINGS = (
    "{}%09",
    "{}%0A",
    "{}%C2%A0",
    "{}%E2%80%90",
    "{}%FF",
    "{}&foo=bar",
    "{}#x",
    "{}%EF%BC%8D",
    "{}%",
    "{}+",
    "{}.",
)
QUERIES = (
    "user_code",
    "user_code[]=x",
    "USER_CODE=x",
    "user_code=%C4%B0",
    "user_code=%E2%84%AABCDEFGH",
    "user_code=0O1I",
    "user_code=%F0%9F%94%90",
    f"user_code={LONG}",
    "x=y",
)


def odd(field: str, path: str, body: dict[str, Any]) -> Scenario:
    """Send a field of every odd kind."""
    calls = [
        post(path, {**body, field: value}, jar="device", headers=NO_BROWSER, label=f"{number} {str(value)[:9]!r}")
        for number, value in enumerate(ODD)
    ]
    return scenario(f"{path} with an odd {field}", *calls, on="devices")


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
    *[odd(field, "/device/code", {"client_id": "cli", "scope": "a"}) for field in ("client_id", "user_id", "scope")],
    *[
        odd(field, "/device/token", {"grant_type": GRANT, "device_code": "x", "client_id": "cli"})
        for field in ("grant_type", "device_code", "client_id")
    ],
    *on_devices("more forms", *[form(text, f"{number} {text[:30]}") for number, text in enumerate(FORMS)]),
    *on_devices(
        "more spellings of a code",
        sign_up(),
        ask(),
        *[get(reply("code", "user_code", template=f"/device?user_code={each}"), label=each) for each in SPELLINGS],
        get(reply("code", "user_code", template="/device?user_code=x&user_code={}"), label="twice"),
        *[get(f"/device?{query}", label=query[:30]) for query in QUERIES],
        decide("approve", code=Reply("code", ("user_code",), " {} - ")),
        poll("in"),
    ),
    *on_devices(
        "a decision of another kind",
        sign_up(),
        ask(),
        look(),
        *[decide("approve", code=value, label=f"{number} {str(value)[:9]!r}") for number, value in enumerate(ODD)],
        post("/device/approve", {"user_code": USER_CODE}, label="in other words"),
        post("/device/deny", [USER_CODE], label="as a list"),
        post("/device/approve", b"userCode=ABCDEFGH", media=FORM, label="as a form"),
        post("/device/approve?userCode=ABCDEFGH", label="in the query"),
        post("/device/deny", {"userCode": USER_CODE}, headers={"origin": "https://evil.test"}, label="from elsewhere"),
        post("/device/deny", {"userCode": USER_CODE}, headers={"origin": None}, label="from nowhere"),
        look(label="still pending"),
    ),
    *on_devices(
        "other verbs and paths",
        sign_up(),
        ask(),
        *[
            call(verb, path, label=f"{verb} {path}")
            for verb in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
            for path in ("/device/code", "/device/token", "/device", "/device/approve", "/device/deny")
        ],
        *[
            get(path)
            for path in ("/device/?user_code=x", "//device?user_code=x", "/Device?user_code=x", "/device/enter")
        ],
        post("/device/code/", {"client_id": "cli"}),
    ),
    *on_devices(
        "a state that nobody knows",
        sign_up(),
        ask(),
        look(),
        fill("deviceCode", "status", "odd"),
        look(label="looks again"),
        decide("approve"),
        poll("asks"),
    ),
    *on_devices("approved by nobody", ask(), fill("deviceCode", "status", "approved"), poll("asks")),
    *on_devices("of no client", *APPROVED, fill("deviceCode", "clientId", None), look(label="looks"), poll("asks")),
    *on_devices("of an empty client", *APPROVED, fill("deviceCode", "clientId", ""), poll("asks")),
    *on_devices(
        "rhythms",
        ask(),
        poll("1"),
        shift("deviceCode", "lastPolledAt", 100),
        poll("of the future"),
        fill("deviceCode", "pollingInterval", None),
        poll("without an interval"),
        fill("deviceCode", "pollingInterval", 0),
        poll("of nothing"),
    ),
    *on_devices(
        "its user is deleted",
        *APPROVED,
        Statement('delete from "user"'),
        decide("deny"),
        poll("asks"),
        LATER,
        poll("again"),
    ),
    *on_devices("its user signs out", *APPROVED, Statement("delete from session"), decide("deny"), poll("in")),
    *on_devices(
        "a session that is over",
        sign_up(),
        ask(),
        shift("session", "expiresAt", -9 * 86_400),
        look(),
        decide("approve"),
    ),
    *on_devices(
        "decided twice",
        *APPROVED,
        decide("approve", label="again"),
        decide("deny"),
        look(label="by its user"),
        look("nobody", "by nobody"),
        poll("in"),
        look(label="afterwards"),
        decide("approve", label="afterwards too"),
    ),
    *on_devices(
        "approved and too late", *APPROVED, shift("deviceCode", "expiresAt", -1801), poll("asks"), poll("gone")
    ),
    *on_devices(
        "by a bearer",
        sign_up(label="me"),
        ask(),
        get(reply("code", "user_code", template="/device?user_code={}"), jar="b", headers=BEARING, label="look"),
        post("/device/approve", {"userCode": USER_CODE}, jar="b", headers=BEARING),
        poll("in"),
    ),
    *on_devices(
        "in a browser",
        *APPROVED,
        post(
            "/device/token",
            {"grant_type": GRANT, "device_code": DEVICE_CODE, "client_id": "cli"},
            headers={"origin": "https://evil.test"},
            label="from elsewhere",
        ),
        post("/device/token", {"grant_type": GRANT, "device_code": DEVICE_CODE, "client_id": "cli"}, label="in"),
        whoami(),
        get("/list-sessions"),
    ),
    scenario(
        "as the options say",
        sign_up(),
        ask(),
        poll("first"),
        poll("too early"),
        look(),
        decide("approve"),
        shift("deviceCode", "lastPolledAt", -3),
        poll("in"),
        ask("a television", client_id="tv", scope=None),
        ask("a stranger", client_id="nobody"),
        poll("of a stranger", client_id="nobody", device_code="x"),
        form("client_id=nobody", "a stranger by a form"),
        shift("deviceCode", "expiresAt", -601),
        poll("too late", device_code=Reply("a television", ("device_code",)), client_id="tv"),
        on="configured devices",
    ),
    scenario(
        "codes of one's own",
        sign_up(),
        ask(),
        ask("the same again"),
        *[
            get(f"/device?user_code={each}", label=each)
            for each in ("own-kode%201", "OWNKODE1", "Own-kode+1", "Own-kode%2B1")
        ],
        decide("approve", code="own-kode 1", label="in other letters"),
        decide("approve", code="Own-kode 1"),
        poll("in"),
        whoami(headers={"authorization": Reply("in", ("access_token",), "Bearer {}"), "origin": None}, jar="device"),
        on="devices with codes of one's own",
    ),
    scenario("six looks", *times(6, get("/device?user_code=x"), 71), on="limited devices"),
    scenario("six approvals", *times(6, post("/device/approve", {"userCode": "x"}), 72), on="limited devices"),
    scenario("six denials", *times(6, post("/device/deny", {"userCode": "x"}), 73), on="limited devices"),
    scenario("six devices", *times(6, post("/device/code", {"client_id": "x"}), 74), on="limited devices"),
    scenario("six questions", *times(6, post("/device/token", {}), 75), on="limited devices"),
    *on_devices(
        "what cannot be stored",
        ask(client_id="\0"),
        poll("a question", device_code="\0"),
        get("/device?user_code=%00"),
        sign_up(),
        decide("approve", code="\0"),
    ),
]
