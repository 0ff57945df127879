"""Runs a scenario against a server and writes down everything that came back."""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from parity.databases import insert
from parity.scenario import (
    JSON,
    Call,
    Copy,
    Forget,
    Insert,
    Known,
    Put,
    Replace,
    Scenario,
    Shift,
    Statement,
    Step,
    TimeSteps,
)
from parity.servers import Server

BASE_PATH = "/api/auth"
ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class Exchange:
    """One answer as it came over the wire."""

    step: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Transcript:
    """All answers of one run and the rows that it left behind."""

    started: float
    """Seconds since the epoch: dates are compared by their distance from it."""
    exchanges: tuple[Exchange, ...]
    rows: Mapping[str, list[dict[str, object]]]
    mails: Sequence[Mapping[str, object]] = ()


@dataclass
class Run:
    """A scenario under way: what the browsers hold and what was answered."""

    server: Server
    jars: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    headers: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    mails: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    time_steps: TimeSteps = field(default_factory=TimeSteps)

    def take(self, step: Step) -> Exchange | None:
        match step:
            case Call():
                return self._call(step)
            case Statement() | Shift() | Insert():
                self._change(step)
            case Put():
                known = self._known()
                self.jars.setdefault(step.jar, {})[known.resolve(step.name)] = known.resolve(step.value)
            case Copy():
                self.jars[step.target] = dict(self.jars.get(step.source, {}))
            case Forget():
                held = self.jars.get(step.jar, {})
                self.jars[step.jar] = {key: text for key, text in held.items() if not key.endswith(f".{step.name}")}
            case Replace():
                held = self.jars.get(step.jar, {})
                for key in held:
                    if key.endswith(f".{step.name}"):
                        held[key] = step.change(held[key])
        return None

    def _change(self, step: Statement | Shift | Insert) -> None:
        """Change the rows in between."""
        database = self.server.database
        match step:
            case Statement():
                database.run(step.sql, *step.parameters)
            case Shift():
                database.shift(step.table, step.column, step.seconds)
            case Insert():
                insert(database, step.table, step.row())

    def _call(self, step: Call) -> Exchange:
        exchange = send(self.server.port, self._request(step), str(step))
        self.mails += self.server.mails()
        jar = self.jars.setdefault(step.jar, {})
        for name, value in exchange.headers:
            if name == "set-cookie":
                keep(jar, value)
        self.texts[str(step)] = exchange.body
        self.headers[str(step)] = dict(exchange.headers)
        return exchange

    def _known(self) -> Known:
        return Known(self.texts, self.headers, self.jars, self.mails, self.time_steps)

    def _request(self, step: Call) -> bytes:
        known = self._known()
        jar = self.jars.get(step.jar, {})
        body = _encoded(known.resolve(step.body))
        sent: dict[str, str | None] = {
            "host": urlsplit(self.server.origin).netloc,
            "user-agent": "parity",
            "x-forwarded-for": ADDRESS,
            "origin": self.server.origin,
            "content-type": step.media or (JSON if step.body is not None else None),
            "content-length": str(len(body)) if body or step.method in {"POST", "PUT", "PATCH"} else None,
            "cookie": "; ".join(f"{name}={value}" for name, value in jar.items()) or None,
        }
        sent |= known.resolve(dict(step.headers))
        fields = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
        path = str(known.resolve(step.path))
        path = path.removeprefix("=") if path.startswith("=") else BASE_PATH + path
        head = f"{step.method} {path} HTTP/1.1\r\n{fields}connection: close\r\n\r\n"
        return head.encode("utf-8") + body


def run(scenario: Scenario, server: Server) -> Transcript:
    """Run a scenario on a server whose tables are emptied before."""
    server.reset()
    started = time.time()
    progress = Run(server)
    exchanges = [exchange for step in scenario.steps if (exchange := progress.take(step)) is not None]
    return Transcript(started, tuple(exchanges), server.rows(), progress.mails)


def send(port: int, request: bytes, step: str) -> Exchange:
    """Send raw bytes and read one response; status 0 stands for none."""
    method = request.split(b" ", 1)[0].decode("latin-1")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection, method=method)
        try:
            response.begin()
            body = response.read()
        except (HTTPException, OSError):
            return Exchange(step, 0, (), b"")
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Exchange(step, response.status, headers, body)


def keep(jar: dict[str, str], cookie: str) -> None:
    """Store or remove a cookie as a browser does."""
    pair, _, attributes = cookie.partition(";")
    name, _, value = pair.partition("=")
    if "max-age=0" in attributes.lower():
        jar.pop(name, None)
    else:
        jar[name] = value


def _encoded(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
