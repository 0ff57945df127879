"""The bare hash: how many passwords one core checks in a second, with nothing around it."""

import subprocess
import sys
import time

from bench.machine import on_core_of
from bench.server import ANN
from bench.servers import TESTS
from portico import Argon2id


def rate(seconds: float) -> float:
    """Measure it in a process of its own, on the core that serves, per second of CPU time."""
    command = [sys.executable, "-m", "bench.hashing", str(seconds)]
    with on_core_of("serving"):
        done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Check one password again and again and print the rate."""
    hasher, seconds = Argon2id(), float(sys.argv[1])
    hashed = hasher.hash(ANN["password"])
    hasher.verify(ANN["password"], hashed)
    checked, started, ends = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < ends:
        if not hasher.verify(ANN["password"], hashed):
            raise RuntimeError("Argon2id refused the right password")
        checked += 1
    sys.stdout.write(f"{checked / (time.process_time() - started)}\n")


if __name__ == "__main__":
    main()
