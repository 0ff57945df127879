"""`python -m fuzz`: send what the document allows and what it forbids, first as a stranger, then signed in.

Schemathesis judges each answer by the document; so does tests/contract.py, which also minds what is not mentioned.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from contract import Contract
from fuzz.visitor import SIGNED_IN
from live import live

HERE = Path(__file__).parent
SEED = 20_251_124
SECONDS = 150
GRACE = 60
"""In seconds: what a run may take beyond its budget, which counts neither its start nor its report."""


def main() -> None:
    """Run both halves and say with the exit code whether something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz a live server by its own document.")
    parser.add_argument("--seed", type=int, default=SEED, help="where the random numbers start (%(default)s)")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long to go on (%(default)s)")
    given = parser.parse_args()
    contract = Contract()
    contract.watch()
    with live() as url:
        codes = [_run(url, given.seed, given.seconds // 2, is_signed_in=each) for each in (False, True)]
    broken = Counter(contract.taken())
    for mistake, count in broken.items():
        sys.stdout.write(f"{count} times: {mistake}\n")
    sys.stdout.write(f"{contract.checked} responses were held against their document; {len(broken)} broke it\n")
    raise SystemExit(1 if any(codes) or broken else 0)


def _run(url: str, seed: int, seconds: int, *, is_signed_in: bool) -> int:
    command: list[str | Path] = [
        Path(sys.executable).with_name("st"),
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        f"{url}/api/auth/open-api/generate-schema",
        f"--url={url}/api/auth",
        f"--header=Origin: {url}",
        f"--seed={seed}",
        f"--max-time={seconds}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), SIGNED_IN: "1" if is_signed_in else ""}
    # What it writes between runs would make the next one depend on this one.
    with TemporaryDirectory() as folder:
        return subprocess.run(command, cwd=folder, env=environment, timeout=seconds + GRACE, check=False).returncode


if __name__ == "__main__":
    main()
