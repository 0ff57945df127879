"""A copy of the package, in which one module at a time is wrong while tests run against it."""

import compileall
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from py_compile import PycInvalidationMode
from shutil import copytree, ignore_patterns
from time import monotonic

import pytest

from mutants.targets import ROOT, SOURCES, TARGETS, TESTS

PLUGINS = ("anyio.pytest_plugin", "_hypothesis_pytestplugin", "inline_snapshot.pytest_plugin")
ARGUMENTS = [
    "--exitfirst",
    "--quiet",
    "--tb=short",
    "--hypothesis-seed=0",
    "--disable-plugin-autoload",
    "-pno:cacheprovider",
    # A mistake is the same on both event loops, and a race of processes finds none that others do not.
    "-knot trio and not processes",
    *(f"-p{plugin}" for plugin in PLUGINS),
    # They are loaded before pytest can see to their asserts, which are not ours.
    "-Wignore::pytest.PytestAssertRewriteWarning",
]
ALREADY_THERE = [
    *PLUGINS,
    *("pytest", "hypothesis.strategies", "jsonschema", "httpx", "trio", "pydantic", "lazy_loader"),
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

    def seconds(self, module: str) -> float:
        """Return how long the tests of a module take on what is right; leave if they fail."""
        started = monotonic()
        if self._run(module, None) != 0:
            raise SystemExit(f"the tests of {module} fail without a mistake:\n{self._output.read_text()}")
        return monotonic() - started

    def is_killed(self, module: str, text: str, seconds: float) -> bool:
        """Tell whether the tests of a module fail on `text` in its place, or do not end in time."""
        source = self._sources / "portico" / f"{module}.py"
        right = source.read_text(encoding="utf-8")
        self._put(source, text)
        try:
            return self._run(module, seconds) != 0
        finally:
            self._put(source, right)

    @property
    def _output(self) -> Path:
        return self._folder / "output"

    def _put(self, source: Path, text: str) -> None:
        source.write_text(text, encoding="utf-8")
        # Two texts of one length within one second have the same compiled file.
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            compiled.unlink()

    def _run(self, module: str, seconds: float | None) -> int | None:
        """Run the tests of a module; return None in place of an exit code if they had to be stopped."""
        arguments = [*ARGUMENTS, *(str(TESTS / path) for path in TARGETS[module])]
        process = self._starting.Process(target=_test, args=(arguments, self._sources, self._output))
        process.start()
        process.join(seconds)
        if process.is_alive() and process.pid is not None:
            # With whatever the tests started.
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            return None
        return process.exitcode


def _test(arguments: Sequence[str], sources: Path, output: Path) -> None:
    """Run tests in this process, which is there for nothing else."""
    os.setsid()
    with output.open("wb") as written:
        for each in (sys.stdout, sys.stderr):
            os.dup2(written.fileno(), each.fileno())
    os.chdir(ROOT)
    # What one mutant fails on is nothing for the next one.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(output.with_name("hypothesis"))
    os.environ["PYTHONPATH"] = str(sources)
    sys.path.insert(0, str(sources))
    from portico import errors  # noqa: PLC0415  # of the copy, which was not on the path before

    if not Path(errors.__file__).is_relative_to(sources):
        raise SystemExit("the tests do not import the copy that is made wrong")
    raise SystemExit(int(pytest.main(list(arguments))))
