"""Keeps the servers of a test run, and what the scenarios gave on each of them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from parity.databases import Kind, database_of
from parity.scenario import Scenario
from parity.servers import Server, Side
from parity.transcript import Transcript, run


class Field:
    """The servers that run, on databases of one kind, and every transcript that was taken from them."""

    def __init__(self, folder: Path, kind: Kind = "sqlite") -> None:
        self._folder = folder
        self._kind: Kind = kind
        self._running: dict[str, ExitStack] = {}
        self._servers: dict[tuple[Side, str], Server] = {}
        self._transcripts: dict[tuple[Side, str], Transcript] = {}

    def server(self, side: Side, configuration: str) -> Server:
        if (side, configuration) not in self._servers:
            running = self._running.setdefault(configuration, ExitStack())
            name = f"{side}-{configuration}".replace(" ", "-")
            database = running.enter_context(database_of(self._kind, self._folder, name))
            server = Server(side, configuration, self._folder, database)
            running.callback(server.stop)
            self._servers[side, configuration] = server
        return self._servers[side, configuration]

    def leave_others(self, configuration: str) -> None:
        """Stop what runs for other configurations."""
        for other in self._running.keys() - {configuration}:
            self._running.pop(other).close()
        self._servers = {key: server for key, server in self._servers.items() if key[1] in self._running}

    def transcripts(self, scenario: Scenario, *sides: Side) -> list[Transcript]:
        """Return what the scenario gave on each side, running both at once where it has not run yet."""
        with ThreadPoolExecutor(len(sides)) as threads:
            return list(threads.map(self._transcript, [scenario] * len(sides), sides))

    def _transcript(self, scenario: Scenario, side: Side) -> Transcript:
        key = (side, str(scenario))
        if key not in self._transcripts:
            self._transcripts[key] = run(scenario, self.server(side, scenario.configuration))
        return self._transcripts[key]

    def close(self) -> None:
        for running in self._running.values():
            running.close()
