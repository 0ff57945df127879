"""The vocabulary of scenarios: calls with placeholders for earlier replies, and changes to the rows in between."""

import hmac
import json
import struct
import time
from base64 import b32decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qs, quote, unquote, urlsplit

from parity.servers import OLDER_SECRET, SECRET

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ROOM = 3
"""How long a time step must last when a run begins to count from it, in seconds."""


@dataclass(frozen=True)
class Reply:
    """A value out of the JSON reply of the call with this label."""

    label: str
    keys: tuple[str | int, ...]
    template: str = "{}"


@dataclass(frozen=True)
class Header:
    """A header of the reply of the call with this label."""

    label: str
    name: str
    template: str = "{}"


@dataclass(frozen=True)
class Code:
    """The TOTP code of the secret in the reply with this label, some time steps from that of the run's first code.

    `change` sees and returns it.
    """

    label: str
    steps: int = 0
    change: Callable[[str], str] = str


@dataclass(frozen=True)
class Held:
    """The cookies that a jar holds, as a Cookie header; `change` sees and returns (name, value) pairs."""

    jar: str = "a"
    change: Callable[[dict[str, str]], dict[str, str]] = dict
    template: str = "{}"

    def text(self, cookies: Mapping[str, str]) -> str:
        pairs = self.change(dict(cookies))
        return self.template.format("; ".join(f"{name}={value}" for name, value in pairs.items()))


@dataclass(frozen=True)
class HeldValue:
    """The value of one cookie of a jar, without the cookie's prefix."""

    name: str
    jar: str = "a"
    template: str = "{}"
    change: Callable[[str], str] = str


@dataclass(frozen=True)
class Mail:
    """The token of the last mail of a kind, or the path of its link; `change` sees and returns it."""

    kind: str
    part: str = "token"
    template: str = "{}"
    change: Callable[[str], str] = str

    def __str__(self) -> str:
        return self.template.format(f"<{self.part} of {self.kind}>")

    def text(self, mails: Sequence[Mapping[str, object]]) -> str:
        of_kind = [mail for mail in mails if mail["kind"] == self.kind]
        found = str(of_kind[-1].get(self.part, "missing")) if of_kind else "missing"
        return self.template.format(self.change(found.partition("/api/auth")[2] if self.part == "url" else found))


@dataclass(frozen=True)
class Forged:
    """A token with the server's own signature, of claims that may hold other placeholders; `exp` is in seconds from
    now."""

    claims: Mapping[str, Any]
    template: str = "{}"


Placeholder = Reply | Header | Code | Held | HeldValue | Mail | Forged
Template: TypeAlias = "dict[str, Template] | list[Template] | Placeholder | str | bytes | int | float | None"
Headers = Mapping[str, "str | Reply | Header | Held | HeldValue | None"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. A jar stands for a browser: it sends its cookies and keeps what it is given."""

    method: str
    path: str | Mail | Forged | Reply
    body: Any = None
    """Bytes are sent as they are, anything else as JSON."""
    headers: Headers = field(default_factory=dict[str, str | None])
    """Added to those that a browser sends; None takes one of them away."""
    jar: str = "a"
    label: str = ""
    media: str | None = None
    """The content type; by default JSON if there is a body."""

    def __str__(self) -> str:
        return self.label or f"{self.method} {self.path}"


@dataclass(frozen=True)
class Statement:
    """One SQL statement on the server's database, whatever its kind, with `?` for each parameter."""

    sql: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True)
class Shift:
    """Move a date of every row of a table."""

    table: str
    column: str
    seconds: int


@dataclass(frozen=True)
class Moment:
    """A date so many seconds from now."""

    seconds: int = 0

    def date(self) -> datetime:
        milliseconds = int((time.time() + self.seconds) * 1000)
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


@dataclass(frozen=True)
class Insert:
    """One more row."""

    table: str
    values: Mapping[str, str | Moment]

    def row(self) -> dict[str, object]:
        return {name: value.date() if isinstance(value, Moment) else value for name, value in self.values.items()}


@dataclass(frozen=True)
class Forget:
    """Take one cookie, named without its prefix, out of a jar."""

    name: str
    jar: str = "a"


@dataclass(frozen=True)
class Replace:
    """Put another value into a cookie that a jar holds."""

    name: str
    change: Callable[[str], str]
    jar: str = "a"


@dataclass(frozen=True)
class Copy:
    """Give a second jar the cookies of a first."""

    source: str
    target: str


@dataclass(frozen=True)
class Put:
    """Put a cookie into a jar under its whole name."""

    name: "str | HeldValue"
    value: "str | HeldValue"
    jar: str = "a"


Step = Call | Statement | Shift | Insert | Forget | Replace | Copy | Put


@dataclass(frozen=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    configuration: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.configuration}/{self.subject}: {self.name}"


def scenario(name: str, *steps: Step, on: str = "core") -> Scenario:
    return Scenario(name, steps, on)


def post(path: str | Mail, body: Any = None, **rest: Any) -> Call:
    return Call(method="POST", path=path, body=body, **rest)


def get(path: str | Mail | Forged | Reply, **rest: Any) -> Call:
    return Call(method="GET", path=path, **rest)


def call(method: str, path: str, **rest: Any) -> Call:
    return Call(method=method, path=path, **rest)


def reply(label: str, *keys: str | int, template: str = "{}") -> Reply:
    return Reply(label, keys, template)


def shift(table: str, column: str, seconds: int) -> Shift:
    """Move a date of every row of a table."""
    return Shift(table, column, seconds)


def fill(table: str, column: str, value: object) -> Statement:
    """Put a value into a column of every row of a table."""
    return Statement(f'update "{table}" set "{column}" = ?', (value,))


def sign_up(email: str = "ann@example.com", **fields: Any) -> Call:
    rest = {key: fields.pop(key) for key in ("jar", "label", "headers", "media") if key in fields}
    return post("/sign-up/email", {"name": "Ann", "email": email, "password": "password123", **fields}, **rest)


def sign_in(email: str = "ann@example.com", password: str = "password123", **fields: Any) -> Call:
    rest = {key: fields.pop(key) for key in ("jar", "label", "headers", "media") if key in fields}
    return post("/sign-in/email", {"email": email, "password": password, **fields}, **rest)


def whoami(query: str = "", **rest: Any) -> Call:
    return get(f"/get-session{query}", **rest)


# Changes of cookie values


def tampered(value: str) -> str:
    """Change a character in the middle of a value, where no padding bits are."""
    middle = len(value) // 4
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]


def forged(value: str) -> str:
    """Sign the token of a cookie with another secret."""
    token = unquote(value).rpartition(".")[0]
    signature = hmac.digest(b"another secret of the right length", token.encode(), "sha256")
    return f"{token}.{signature.hex()}"


def signed_before(value: str) -> str:
    """Sign the token of a cookie with the older one of two secrets."""
    token = unquote(value).rpartition(".")[0]
    signature = hmac.digest(OLDER_SECRET.encode(), token.encode(), "sha256")
    return quote(f"{token}.{b64encode(signature).decode()}", safe="")


def unsigned(value: str) -> str:
    return unquote(value).rpartition(".")[0]


def totp(secret: str, step: int, digits: int = 6) -> str:
    """Return the code of one time step. See RFC 6238."""
    key = b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 15
    (number,) = struct.unpack(">I", mac[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**digits:0{digits}d}"


def signed_token(claims: Mapping[str, Any]) -> str:
    """Sign a token as both servers do. See RFC 7515."""
    header, payload = ('{"alg":"HS256"}', json.dumps(claims))
    message = ".".join(urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, payload))
    mac = urlsafe_b64encode(hmac.digest(SECRET.encode(), message.encode(), "sha256")).decode().rstrip("=")
    return f"{message}.{mac}"


# Resolution


@dataclass
class TimeSteps:
    """The time step of the first code of a run, which later codes count from: the next one may begin at any moment."""

    _first: dict[int, int] = field(default_factory=dict[int, int])

    def first(self, period: int) -> int:
        """Return the step, which is not about to end; the period is in seconds."""
        if period not in self._first:
            left = period - time.time() % period
            if left < ROOM:
                time.sleep(left)
            self._first[period] = int(time.time()) // period
        return self._first[period]


@dataclass(frozen=True)
class Known:
    """What a run knows when a call is made: the replies by label and the jars by name."""

    texts: Mapping[str, bytes]
    headers: Mapping[str, Mapping[str, str]]
    jars: Mapping[str, Mapping[str, str]]
    mails: Sequence[Mapping[str, object]]
    time_steps: TimeSteps

    def resolve(self, value: Template) -> Any:
        """Return a value with every placeholder in it replaced."""
        match value:
            case Reply() | Header() | Code() | Mail() | Forged():
                return self._filled_in(value)
            case Held():
                return value.text(self.jars.get(value.jar, {}))
            case HeldValue():
                held = self.jars.get(value.jar, {})
                found = next((text for name, text in held.items() if name.endswith(f".{value.name}")), "missing")
                return value.template.format(value.change(found))
            case dict():
                return {key: self.resolve(each) for key, each in value.items()}
            case list():
                return [self.resolve(each) for each in value]
            case _:
                return value

    def _filled_in(self, value: Reply | Header | Code | Mail | Forged) -> str:
        if isinstance(value, Mail):
            return value.text(self.mails)
        if isinstance(value, Forged):
            claims: dict[str, Any] = self.resolve(dict(value.claims))
            ends = {"exp": claims["exp"] + int(time.time())} if "exp" in claims else {}
            return value.template.format(signed_token({**claims, **ends}))
        if isinstance(value, Header):
            return value.template.format(self.headers.get(value.label, {}).get(value.name, "missing"))
        found: Any = self._content(value.label)
        if isinstance(value, Code):
            said = parse_qs(urlsplit(str(_at(found, ("totpURI",)))).query)
            (secret,), (digits,), (period,) = (
                said.get(name, [default]) for name, default in (("secret", ""), ("digits", "6"), ("period", "30"))
            )
            return value.change(totp(secret, self.time_steps.first(int(period)) + value.steps, int(digits)))
        return value.template.format(_at(found, value.keys))

    def _content(self, label: str) -> Any:
        try:
            return json.loads(self.texts.get(label, b"null"))
        except ValueError:
            return None


def _at(found: Any, keys: tuple[str | int, ...]) -> Any:
    """Follow keys into a reply; "missing" where a server left something out, so that both runs go on."""
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return "missing"
    return found
