"""Keeps the servers of a test run, and what the scenarios gave on each of them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from parity.scenario import Scenario
from parity.servers import Server, Side
from parity.transcript import Transcript, run


class Field:
    """The servers that run, and every transcript that was taken from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: dict[tuple[Side, str], Server] = {}
        self._transcripts: dict[tuple[Side, str], Transcript] = {}

    def server(self, side: Side, configuration: str) -> Server:
        if (side, configuration) not in self._servers:
            self._servers[side, configuration] = Server(side, configuration, self._folder)
        return self._servers[side, configuration]

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
        for server in self._servers.values():
            server.stop()
