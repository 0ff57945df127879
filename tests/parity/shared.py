"""A TypeScript server and a Portico server on one database at the same time."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from parity.databases import KINDS, Database, Kind, Row, database_of
from parity.scenario import Call, Code, Step, TimeSteps, get, post, sign_up
from parity.servers import Server, Side
from parity.transcript import Exchange, Run

DIRECTIONS: tuple[tuple[Side, Side], ...] = (("upstream", "portico"), ("portico", "upstream"))
PASSWORD = {"password": "password123"}


@dataclass
class Shared:
    """Both servers on one database, for all tests of one configuration."""

    database: Database
    servers: dict[Side, Server]
    maker: Side | None = None

    def make(self, maker: Side) -> None:
        """Leave empty tables of that server's making."""
        for server in self.servers.values():
            server.mails()
        if self.maker == maker:
            self.database.empty()
        else:
            self.remake(maker)

    def remake(self, maker: Side) -> None:
        """Let that server make the tables anew."""
        self.database.drop()
        self.servers[maker].make_tables()
        self.maker = maker


class SharedServers:
    """Starts both servers once per kind of database and configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._started: dict[tuple[Kind, str], Shared] = {}

    def at(self, kind: Kind, configuration: str) -> Shared:
        if (kind, configuration) not in self._started:
            folder = self._folder / f"{kind}-{configuration}".replace(" ", "-")
            folder.mkdir()
            database = self._stack.enter_context(database_of(kind, folder))
            servers: dict[Side, Server] = {}
            for side, _ in DIRECTIONS:
                servers[side] = Server(side, configuration, folder, database)
                self._stack.callback(servers[side].stop)
            self._started[kind, configuration] = Shared(database, servers)
        return self._started[kind, configuration]

    def named(self, said: str) -> Shared:
        """Return what `links on postgresql` says: a configuration, and a kind of database if it is not SQLite."""
        configuration, _, kind = said.partition(" on ")
        kinds: dict[str, Kind] = {"": "sqlite", **{each: each for each in KINDS}}
        return self.at(kinds[kind], configuration)

    def close(self) -> None:
        self._stack.close()


@dataclass
class Pair:
    """Both servers as browsers see them, which keep their cookies when they go from one to the other."""

    shared: Shared
    jars: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    mails: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    time_steps: TimeSteps = field(default_factory=TimeSteps)
    # No two calls count together for a rate limit, unless their test says so.
    _hosts: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def database(self) -> Database:
        return self.shared.database

    def ask(self, side: Side, call: Call) -> Exchange:
        headers = {"x-forwarded-for": f"203.0.113.{next(self._hosts)}", **call.headers}
        exchange = self._run(side).take(replace(call, headers=headers))
        assert exchange is not None
        return exchange

    def take(self, step: Step) -> None:
        """Take a step that is no call."""
        self._run("upstream").take(step)

    def content(self, side: Side, call: Call) -> Any:
        exchange = self.ask(side, call)
        assert exchange.status == 200, exchange
        return json.loads(exchange.body)

    def rows(self, table: str) -> list[Row]:
        return self.database.rows()[table]

    def row(self, table: str) -> Row:
        (found,) = self.rows(table)
        return found

    def set(self, table: str, column: str, value: object) -> int:
        """Put a value into a column of every row and return how many there are."""
        return self.database.run(f'update "{table}" set "{column}" = ?', value)

    def enroll(self, side: Side) -> None:
        self.content(side, sign_up(plan="free"))
        self.content(side, post("/two-factor/enable", PASSWORD, label="enable"))
        self.content(side, post("/two-factor/verify-totp", {"code": Code("enable", -1)}))

    def sign_in_by_provider(self) -> None:
        """Sign in at upstream by the account at the provider, whose cookie upstream writes."""
        begun = self.content("upstream", post("/sign-in/social", {"provider": "acme", "callbackURL": "/home"}))
        url: str = begun["url"]
        (state,) = parse_qs(urlsplit(url).query)["state"]
        back = self.ask("upstream", get(f"/callback/acme?code=code&state={quote(state)}"))
        assert dict(back.headers)["location"].endswith("/home"), back

    def _run(self, side: Side) -> Run:
        return Run(self.shared.servers[side], self.jars, self.texts, mails=self.mails, time_steps=self.time_steps)


def in_seconds(seconds: float) -> datetime:
    """Return a moment from now, in whole seconds."""
    return datetime.fromtimestamp(int(time.time() + seconds), UTC)
