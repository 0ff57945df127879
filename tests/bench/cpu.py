"""Where the time of the cores goes: to a server, to nobody, or to other programs."""

import os
import resource
import time
from pathlib import Path

from bench.machine import core_of

TOLERABLE = 0.05
"""Share of the cores above which figures say too much about others."""


def spent_by(process: int) -> float:
    """Return the seconds of CPU time that all threads of a running process have used."""
    # Linux numbers the clocks of processes like this. See clock_getcpuclockid(3).
    return time.clock_gettime(~process << 3 | 2)


def idle(core: int) -> float:
    """Return the seconds that a core has had nothing to do since the machine started. See proc_stat(5)."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            return sum(map(int, ticks[3:5])) / os.sysconf("SC_CLK_TCK")
    raise RuntimeError(f"/proc/stat does not know core {core}")


class Witness:
    """Sees from its making on how much of the two cores other programs take."""

    def __init__(self) -> None:
        self._cores = {core_of("serving"), core_of("measuring")}
        self._started, self._used = time.monotonic(), self._use()

    def report(self) -> str:
        """Say what others took; complete once every process that was started has been waited for."""
        available = (time.monotonic() - self._started) * len(self._cores)
        share = max(0.0, 1 - (self._use() - self._used) / available)
        advice = "; repeat the run when the machine is quiet" if share > TOLERABLE else ""
        return f"other programs took {share:.0%} of the cores during the run{advice}"

    def _use(self) -> float:
        """Return what was ours and what was nobody's, in seconds."""
        ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in ours) + sum(map(idle, self._cores))
