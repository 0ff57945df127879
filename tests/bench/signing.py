"""A token with each session: against none, and against upstream, which signs one too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import servers
from bench.get_session import ROUNDS, SECONDS, compared, rates_of
from bench.table import Figure

UPSTREAM = "get-session, set-auth-jwt : upstream's on Node"


def figures(folder: Path) -> Iterator[Figure]:
    """Measure the servers in turns and compare them."""
    absent = servers.missing_upstream()
    with ExitStack() as stack:
        started = {
            "plain": stack.enter_context(servers.portico("plain", folder)),
            "silent": stack.enter_context(servers.portico("silent", folder)),
            "signing": stack.enter_context(servers.portico("signing", folder)),
        }
        if absent is None:
            started["upstream"] = stack.enter_context(servers.upstream(folder, "jwt"))
        rates = rates_of(started, ROUNDS, SECONDS)
    yield compared(rates, "silent", "plain", name="get-session, the plugin jwt without header : none", bound=0.95)
    yield compared(rates, "signing", "silent", name="get-session, set-auth-jwt : without", bound=0.35)
    if absent is None:
        yield compared(rates, "signing", "upstream", name=UPSTREAM, bound=5)
    else:
        yield Figure(name=UPSTREAM, measured=None, wanted="at least", bound=5, detail=absent)
