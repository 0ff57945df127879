"""A copy of the package, in which one module at a time is wrong while tests run against it."""

import compileall
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from py_compile import PycInvalidationMode
from shutil import copytree, ignore_patterns

import pytest

from mutants.observer import Observed, Observer, read
from mutants.targets import ROOT, SOURCES, TARGETS, TESTS

PLUGINS = ("anyio.pytest_plugin", "_hypothesis_pytestplugin", "inline_snapshot.pytest_plugin")
ARGUMENTS = [
    "--exitfirst",
    "--quiet",
    "--tb=short",
    "--hypothesis-seed=0",
    "--disable-plugin-autoload",
    "-pno:cacheprovider",
    *(f"-p{plugin}" for plugin in PLUGINS),
    # They are loaded before pytest can see to their asserts, which are not ours.
    "-Wignore::pytest.PytestAssertRewriteWarning",
]
# A mistake is the same on both event loops, and a race of processes finds none that others do not.
WANTED = ("-k", "not trio and not processes")
SLOWER, GRACE = 5, 20
"""What is wrong may take this many times as long, and this many seconds more."""
ALREADY_THERE = [
    *PLUGINS,
    *("pytest", "hypothesis.strategies", "jsonschema", "httpx", "trio", "pydantic", "lazy_loader", "coverage"),
    *("anyio._backends._asyncio", "anyio._backends._trio", "joserfc.jwe", "argon2", "pyotp", "cryptography.fernet"),
]
"""What every run of tests imports and no mutant changes; most of a run's time goes into it otherwise."""


def processes() -> ForkServerContext:
    """Return what starts processes that have most of their imports behind them."""
    context = get_context("forkserver")
    context.set_forkserver_preload(ALREADY_THERE)
    return context


class Workbench:
    """Runs tests against its own copy of the package, in a process of their own."""

    def __init__(self, folder: Path, starting: ForkServerContext) -> None:
        self._folder, self._starting = folder, starting
        self._sources = folder / "src"
        copytree(SOURCES, self._sources, ignore=ignore_patterns("__pycache__"))
        # Only what is wrong is compiled anew, and no file is looked at to see whether that is needed.
        compileall.compile_dir(self._sources, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)

    def observed(self, module: str) -> Observed:
        """Return what the tests of a module do with it as it is; leave if they fail."""
        seen = self._folder / "seen.json"
        if self._run([str(TESTS / path) for path in TARGETS[module]], None, self._source(module), seen) != 0:
            raise SystemExit(f"the tests of {module} fail without a mistake:\n{self._output.read_text()}")
        return read(seen)

    def is_killed(self, module: str, text: str, observed: Observed) -> bool:
        """Tell whether a test of a module fails on `text` in its place, or does not end in time."""
        source = self._source(module)
        right = source.read_text(encoding="utf-8")
        tests = observed.running(_changed(right.splitlines(), text.splitlines()))
        if not tests:
            return False
        seconds = SLOWER * sum(observed.seconds[test] for test in tests) + GRACE
        self._put(source, text)
        try:
            return self._run(tests, seconds) != 0
        finally:
            self._put(source, right)

    def _source(self, module: str) -> Path:
        return self._sources / "portico" / f"{module}.py"

    @property
    def _output(self) -> Path:
        return self._folder / "output"

    def _put(self, source: Path, text: str) -> None:
        source.write_text(text, encoding="utf-8")
        # Two texts of one length within one second have the same compiled file.
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            compiled.unlink()

    def _run(self, tests: Sequence[str], seconds: float | None, *look_at: Path) -> int | None:
        """Run tests; return None in place of an exit code if they had to be stopped."""
        wanted = (tests, self._sources, self._output, *look_at)
        process = self._starting.Process(target=_observe if look_at else _test, args=wanted)
        process.start()
        process.join(seconds)
        if process.is_alive() and process.pid is not None:
            # With whatever the tests started.
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            return None
        return process.exitcode


def _changed(old: Sequence[str], new: Sequence[str]) -> range:
    """Return the numbers of the lines of `old` that are others in `new`."""
    shorter = min(len(old), len(new))
    top = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    bottom = next((at for at in range(shorter - top) if old[-1 - at] != new[-1 - at]), shorter - top)
    return range(top + 1, max(len(old) - bottom, top + 1) + 1)


def _test(tests: Sequence[str], sources: Path, output: Path) -> None:
    """Run tests in this process, which is there for nothing else."""
    _move_in(sources, output)
    raise SystemExit(int(pytest.main([*ARGUMENTS, *tests])))


def _observe(tests: Sequence[str], sources: Path, output: Path, module: Path, seen: Path) -> None:
    """The same, and write which of them run which lines of `module`."""
    _move_in(sources, output)
    with Observer(module) as observer:
        code = int(pytest.main([*ARGUMENTS, *WANTED, *tests], plugins=[observer]))
    observer.write(seen)
    raise SystemExit(code)


def _move_in(sources: Path, output: Path) -> None:
    os.setsid()
    with output.open("wb") as written:
        for each in (sys.stdout, sys.stderr):
            os.dup2(written.fileno(), each.fileno())
    os.chdir(ROOT)
    # What one mutant fails on is nothing for the next one.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(output.with_name("hypothesis"))
    os.environ["PYTHONPATH"] = str(sources)
    sys.path.insert(0, str(sources))
    found = find_spec("portico")
    if found is None or found.origin is None or not Path(found.origin).is_relative_to(sources):
        raise SystemExit("the tests do not import the copy that is made wrong")
