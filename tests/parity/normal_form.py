"""Turns a transcript into a form that two servers can agree on: random values are marked, dates become distances."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Any, TypeAlias

from parity.cookie_values import opened, opened_by_row, public_keys, session_data, signed
from parity.transcript import Exchange, Transcript

GRAIN = 60
"""Dates are cut to a multiple of this many seconds, as every lifetime is one; runs take less."""
LONGEST = 3000
"""From here on the length of encrypted text does not count: the numbers in an RSA key are not always of one length."""
JWT_DOTS = 2
EARLY = 5
"""Seconds by which a date may lie before the run that it belongs to."""

UNCOMPARED_HEADERS = frozenset({
    "date",  # the present
    "connection",  # of the host, as are the next four
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "server",
})  # fmt: skip

RANDOM = re.compile(
    # Earlier dates are no moments of a run: they were sent as they are.
    r"(?P<date>20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<ms>(?<![A-Za-z0-9.])1[6-9]\d{11}(?![A-Za-z0-9]))"
    r"|(?<=trust-device-)(?P<device>[A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])"
    r"|(?<=2fa-)(?P<challenge>[A-Za-z0-9_-]{20})(?![A-Za-z0-9_-])"
    r"|(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b)"
    r"|(?P<scrypt>\b[0-9a-f]{32}:[0-9a-f]{128}\b)"
    r"|(?P<argon2id>\$argon2id\$.*)"
    r"|(?P<base32>(?<=secret=)[A-Z2-7]{52})"
    r"|(?P<digest>(?:(?<=verification:)|(?<=\"identifier\":\")|(?<=magic-link:))[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-]))"
    r"|(?P<mac>(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?=!))"
    r"|(?P<pair>eyJhbGciOiJ(?!IUzI1NiJ9)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)"
    r"|(?P<member>(?<=\"[xydn]\":\")[A-Za-z0-9_-]{43,}(?=\")|^(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{86,})$)"
    r"|(?P<jwt>eyJhbGciOiJIUzI1NiJ9\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43})"
    r"|(?P<reset>(?:(?<=reset-password[:/])|(?<=token=)|^)[A-Za-z0-9]{24}(?![A-Za-z0-9]))"
    r"|(?P<backup>(?:^|(?<=\"))[A-Za-z0-9]{5}-[A-Za-z0-9]{5,7}(?:$|(?=\")))"
    r"|(?P<otp>^(?:[0-9]{6}|[0-9]{8}|[A-Za-z0-9_-]{43}|[0-9a-f]{92})(?=:[0-9]+$)|^(?:[0-9]{6}|[0-9]{8})$)"
    r"|(?P<ciphertext>^\"?(?:[0-9a-f]{2}){60,}\"?$)"
    r"|(?P<device_code>^[A-Za-z0-9]{40}$)"
    r"|(?P<user_code>(?<![A-Za-z0-9_])(?:[A-HJ-NP-Z2-9]{8}){1,2}(?![A-Za-z0-9_]))"
    r"|(?P<id>(?<![A-Za-z0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9]))"
)
ALMOST_A_WEEK = (604_799, 604_800)
"""Seconds that a new session lives; writing it may take a moment of them."""
RETRY = re.compile(r"^([5-9]|10)$")


@dataclass(frozen=True)
class Random:
    """A value that differs between runs, but must be the same wherever it was the same."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"<{self.kind} of {len(self.value)}>"


@dataclass(frozen=True)
class Text:
    """A string with random values inside."""

    parts: tuple[str | Random, ...]

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


Tree: TypeAlias = "dict[str, Tree] | list[Tree] | Text | Random | datetime | str | int | float | None"


def normal_form(transcript: Transcript) -> dict[str, Tree]:
    """Return the answers and the rows of a transcript as a tree of comparable values."""
    form = _Form(transcript.started, public_keys(transcript.rows))
    steps = {f"{index} {each.step}": form.answer(each) for index, each in enumerate(transcript.exchanges, 1)}
    rows: Any = transcript.rows
    mails: Any = list(transcript.mails)
    return {**steps, "rows": form.value(rows), "mails": form.value(mails)}


def comparable(values: dict[str, Any], started: float) -> dict[str, Tree]:
    """Return JSON values in normal form; dates count from `started`, in seconds since the epoch."""
    form = _Form(started, public_keys(values.get("rows", {})))
    return {name: form.value(value) for name, value in values.items()}


class _Form:
    def __init__(self, started: float, keys: Mapping[str, Any]) -> None:
        self.started = started
        self._keys = keys

    def answer(self, exchange: Exchange) -> Tree:
        names = sorted({name for name, _ in exchange.headers} - UNCOMPARED_HEADERS - {"set-cookie"})
        return {
            "status": exchange.status,
            "headers": {
                name: [self._header(name, value) for key, value in exchange.headers if key == name] for name in names
            },
            "cookies": list(self._cookies(value for name, value in exchange.headers if name == "set-cookie")),
            "body": self._body(exchange.body),
        }

    def value(self, value: Tree) -> Tree:
        match value:
            case dict():
                return {key: self.value(each) for key, each in value.items()}
            case list():
                return [self.value(each) for each in value]
            case str():
                return self._text(value)
            case int():
                return self._number(value)
            case datetime():
                return f"<date {self._distance(_aware(value).timestamp())}>"
            case _:
                return value

    def _number(self, value: int) -> str | int:
        if 1_600_000_000_000 < value < 2_500_000_000_000:
            return f"<ms {self._distance(value / 1000)}>"
        if 1_600_000_000 < value < 2_500_000_000:
            return f"<s {self._distance(value)}>"
        return "<seconds of a week>" if value in ALMOST_A_WEEK else value

    def _body(self, raw: bytes) -> Tree:
        text = raw.decode("utf-8", "backslashreplace")
        try:
            content = json.loads(text)
        except ValueError:
            return {"text": self._text(text)}
        compact = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return {"json": self.value(content), "compact": compact == text}

    def _header(self, name: str, value: str) -> Tree:
        if name == "set-auth-token":
            return self.value(signed(value))
        return "<5 to 10>" if name.endswith("retry-after") and RETRY.match(value) else self._text(value)

    def _cookies(self, lines: Iterable[str]) -> Iterable[Tree]:
        lines, chunks = list(lines), ""
        ends_many = sum("_multi-" in line and "=; Max-Age=0" in line for line in lines) > 1
        for line in lines:
            pair, _, attributes = line.partition("; ")
            name, _, value = pair.partition("=")
            kind = name.rpartition(".")[2]
            content: Tree = value
            if kind.isdigit():
                chunks += value
                content = {"chunk of": len(value), "so far": self.value(session_data(chunks))}
            elif value and kind == "session_data" and self._keys and value.count(".") == JWT_DOTS:
                content = self._text(value)
            elif value and kind == "session_data":
                content = self.value(session_data(value))
            elif value and kind == "account_data":
                content = self.value(session_data(value, salt=b"better-auth-account"))
            elif value:
                content = self.value(signed(value))
            # Upstream ends several sessions at once, and says so in any order.
            shown = f"{name.partition('_multi-')[0]}_multi-" if ends_many and not value else self._text(name)
            yield {"name": shown if "_multi-" in name else name, "value": content, "attributes": attributes}

    def _text(self, text: str) -> str | Text:
        parts: list[str | Random] = []
        end = 0
        for found in RANDOM.finditer(text):
            kind = str(found.lastgroup)
            parts += [text[end : found.start()], *self._marked(kind, found.group())]
            end = found.end()
        if not parts:
            return text
        return Text(tuple(part for part in (*parts, text[end:]) if part))

    def _marked(self, kind: str, value: str) -> Sequence[str | Random]:
        if kind == "jwt":
            return self._token(value)
        if kind == "ciphertext" and len(value) > LONGEST:
            return [Random(kind, value[:LONGEST])]
        if kind == "pair":
            return self._token_of_pair(value)
        if kind == "ms":
            return [f"<ms {self._distance(int(value) / 1000)}>"]
        if kind != "date":
            return [Random(kind, value)]
        return [f"<date {self._distance(datetime.fromisoformat(value).timestamp())}>"]

    def _token(self, token: str) -> Sequence[str | Random]:
        """Open a signed token: its claims count, in their order, and that the signature is right."""
        claims, is_genuine = opened(token)
        dated = {name: self.value(claim) if isinstance(claim, int) else claim for name, claim in claims.items()}
        text = self._text(f"<{'genuine' if is_genuine else 'forged'} {json.dumps(dated)}>")
        return text.parts if isinstance(text, Text) else [text]

    def _token_of_pair(self, token: str) -> Sequence[str | Random]:
        """Open a token that a key pair signed: its header and claims, in their order, and whether its row proves it."""
        header, claims, is_genuine = opened_by_row(token, self._keys)
        dated = {name: self.value(claim) if isinstance(claim, int) else claim for name, claim in claims.items()}
        proof = "genuine" if is_genuine else "unproven"
        text = self._text(f"<{proof} {json.dumps(header)} {json.dumps(dated)}>")
        return text.parts if isinstance(text, Text) else [text]

    def _distance(self, seconds: float) -> str:
        return f"{floor((seconds - self.started + EARLY) / GRAIN) * GRAIN:+d} s"


def _aware(date: datetime) -> datetime:
    """Return a date as MySQL gives it, which has none but those of UTC, with its zone."""
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
