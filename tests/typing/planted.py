"""Run type checkers over `mistakes/`: three must report every mistake and nothing else, what two more do is listed.

The checkers see Portico as a user has it: installed, and typed through its `py.typed`.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

FOLDER = Path(__file__).parent / "mistakes"
MARK = re.compile(r"  # (mistake|right): (?P<name>.+)")


class Line(NamedTuple):
    file: str
    number: int


Reported: TypeAlias = frozenset[Line]


@dataclass(frozen=True)
class Marks:
    """The marked lines of all files, each with what it is about."""

    mistakes: Mapping[Line, str]
    right: Mapping[Line, str]

    def named(self, line: Line) -> str:
        """Return what the table calls a line."""
        about = self.mistakes.get(line) or self.right.get(line) or f"line {line.number}"
        return f"{line.file}: {about}"


def marks() -> Marks:
    mistakes: dict[Line, str] = {}
    right: dict[Line, str] = {}
    for file in sorted(FOLDER.glob("*.py")):
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            mark = MARK.search(text)
            if mark:
                kind = mistakes if mark[1] == "mistake" else right
                kind[Line(file.name, number)] = mark["name"]
    return Marks(mistakes, right)


# The checkers


def mypy() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as cache:
        own = ("--config-file=", f"--cache-dir={cache}", "--python-version=3.11", "--output=json")
        # A twin that cannot be reached would pass unread.
        said = run("mypy", "--strict", "--warn-unreachable", *own, ".")
    for each in map(json.loads, said.splitlines()):
        if each["severity"] == "error":
            yield line(each["file"], each["line"])


def pyright() -> Iterator[Line]:
    return pyright_like("pyright")


def basedpyright() -> Iterator[Line]:
    return pyright_like("basedpyright")


def pyright_like(command: str) -> Iterator[Line]:
    said = json.loads(run(command, "--outputjson", "--project", "pyrightconfig.json", "--pythonpath", sys.executable))
    for each in said["generalDiagnostics"]:
        yield line(each["file"], each["range"]["start"]["line"] + 1)


def ty() -> Iterator[Line]:
    said = run("ty", "check", "--output-format=gitlab", "--python-version=3.11", f"--python={sys.executable}", ".")
    for each in json.loads(said):
        yield line(each["location"]["path"], each["location"]["positions"]["begin"]["line"])


def pyrefly() -> Iterator[Line]:
    said = run("pyrefly", "check", "--config=pyrefly.toml", "--output-format=json", "--summary=none")
    for each in json.loads(said)["errors"]:
        yield line(each["path"], each["line"])


def run(*command: str) -> str:
    """Return what a checker writes; that it finds something is no failure, that it cannot run is."""
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode not in {0, 1}:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def line(path: str, number: Any) -> Line:
    return Line(Path(path).name, int(number))


Checker: TypeAlias = Callable[[], Iterator[Line]]
DEMANDED: tuple[Checker, ...] = (mypy, pyright, basedpyright)
BESIDE: tuple[Checker, ...] = (ty, pyrefly)


def main() -> None:
    known = marks()
    wrong = [*unpaired(known)]
    for checker in DEMANDED:
        wrong += compared(known, checker, missed=frozenset(), false_alarms=frozenset())
    table = tomllib.loads((FOLDER / "beside.toml").read_text(encoding="utf-8"))
    for checker in BESIDE:
        listed = table[checker.__name__]
        wrong += compared(
            known, checker, missed=frozenset(listed["missed"]), false_alarms=frozenset(listed["false_alarms"])
        )
    if wrong:
        sys.exit("\n".join(wrong))
    sys.stdout.write(f"{len(known.mistakes)} mistakes found by each of {len(DEMANDED)} checkers, no false alarm\n")


def unpaired(known: Marks) -> Iterator[str]:
    """Yield what is wrong with the marks: each mistake has a name of its own in its file, and one twin."""
    mistakes = [known.named(each) for each in known.mistakes]
    right = [known.named(each) for each in known.right]
    for name in sorted({*mistakes, *right}):
        if (mistakes.count(name), right.count(name)) != (1, 1):
            yield f"{name}: marked as mistake {mistakes.count(name)} times, as right {right.count(name)} times"


def compared(known: Marks, checker: Checker, *, missed: frozenset[str], false_alarms: frozenset[str]) -> Iterator[str]:
    """Yield where a checker does not do what is written down."""
    reported = frozenset(checker())
    missing = {known.named(each) for each in known.mistakes.keys() - reported}
    alarms = {known.named(each) for each in reported - known.mistakes.keys()}
    name = checker.__name__
    yield from (f"{name} misses {each}" for each in sorted(missing - missed))
    yield from (f"{name} finds {each} now" for each in sorted(missed - missing))
    yield from (f"{name} raises a false alarm on {each}" for each in sorted(alarms - false_alarms))
    yield from (f"{name} raises no false alarm on {each} now" for each in sorted(false_alarms - alarms))


if __name__ == "__main__":
    main()
