"""Every plugin of this package against none: what nobody asks for should cost nothing."""

from collections.abc import Iterator
from pathlib import Path

from bench import servers
from bench.get_session import CLOSE_ROUNDS, CLOSE_SECONDS, compared, rates_of
from bench.table import Figure


def figures(folder: Path) -> Iterator[Figure]:
    """Measure pairs of servers in turns, with sessions from the store and from their copies."""
    for name, alone, full in (("", "plain", "full"), (", cookie cache", "cached", "full_cached")):
        with servers.portico(alone, folder) as without, servers.portico(full, folder) as with_all:
            rates = rates_of({alone: without, full: with_all}, CLOSE_ROUNDS, CLOSE_SECONDS)
        yield compared(rates, full, alone, name=f"get-session{name}, every plugin : none", bound=0.95)
