"""What holds for every command: help with an example that works, no terminal, exit codes, and a place in the docs."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from cli.running import PORTICO, environment, serving
from portico.cli.main import cli
from requirements import requirement

pytestmark = requirement("ARCH-commands", "S-257")

DOCS = Path(__file__).parents[2] / "docs" / "command-line.md"
READY = {
    "BETTER_AUTH_SECRET": "hush-hush-0123456789-abcdefghijklm-SECRET",
    "BETTER_AUTH_URL": "http://localhost",
}
APP = """
from typing import Annotated
from portico import Auth, Column, EmailAndPassword

auth = Auth(
    database="sqlite:///app.db",
    email_and_password=EmailAndPassword(enabled=True),
    additional_fields={"user": {"role": Annotated[str | None, Column()]}},
)
"""


class Case(NamedTuple):
    """One command in two runs: its example, and a mistake."""

    code: int
    """With which the example exits; the example of a server is started instead."""
    mistake: str
    complaint: str
    is_server: bool = False


NOTHING = "portico: 'app' has no 'nothing'"
COMMANDS: Mapping[str, Case] = {
    "init": Case(0, "shop", "portico: there is no terminal to ask on"),
    "serve": Case(0, "app:nothing --port 0", NOTHING, is_server=True),
    "dev": Case(0, "--plugins nothing --port 0", "portico: ", is_server=True),
    "migrate": Case(0, "app:nothing", NOTHING),
    "generate": Case(0, "app:nothing", NOTHING),
    "secret": Case(0, "app:auth", "Usage: portico secret"),
    "info": Case(0, "app:nothing", NOTHING),
    "doctor": Case(1, "app:nothing", NOTHING),
    "create-admin": Case(0, "app:nothing --email ann@example.com", NOTHING),
    "cleanup": Case(0, "app:nothing", NOTHING),
    "openapi": Case(0, "app:nothing", NOTHING),
    "client generate": Case(0, "app:nothing --out client", NOTHING),
}


def commands(group: Any, above: str = "") -> Iterator[str]:
    """Yield the names of all commands."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above}{name} ")
        else:
            yield above + name


def run(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell without a terminal."""
    portico = shlex.join(PORTICO)
    return subprocess.run(
        ["sh", "-c", re.sub("^portico", lambda _: portico, line)],
        cwd=cwd,
        env=environment(**READY),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def help_of(name: str, cwd: Path) -> str:
    """Return the help of a command without its line ends."""
    done = run(f"COLUMNS=300 portico {name} --help".replace("portico", shlex.join(PORTICO)), cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return " ".join(done.stdout.split())


def example_of(shown: str) -> str:
    return shown.partition("Example: ")[2]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    assert run("portico migrate app:auth", tmp_path).returncode == 0
    return tmp_path


def test_every_command_is_in_the_table_and_in_the_docs() -> None:
    known = set(commands(typer.main.get_command(cli)))
    assert set(COMMANDS) == known
    assert set(sections()) == known


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_example_of_the_help_works_without_a_terminal(name: str, app: Path) -> None:
    case, example = COMMANDS[name], example_of(help_of(name, app))
    assert example.startswith(f"portico {name}")
    if case.is_server:
        _, _, *arguments = shlex.split(re.sub(" --port [0-9]+", "", example))
        async with serving(*arguments, cwd=app, verb=name, **READY) as server:
            assert (await server.http.get("/ok")).status_code == 200
            assert (await server.stop())[0] == 0
        return
    done = run(example, app)
    assert (done.returncode, done.stderr) == (case.code, "")
    # No colors, bars or carriage returns, and nothing secret.
    assert not re.search("[\x1b\r━]|hush", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_mistake_is_told_on_stderr_and_by_the_exit_code(name: str, app: Path) -> None:
    case = COMMANDS[name]
    done = run(f"portico {name} {case.mistake}", app)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.startswith(case.complaint)


def sections() -> dict[str, str]:
    """Return what the docs say of each command."""
    _, *parts = re.split(r"^## portico ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_docs_have_the_example_and_every_option_of_a_command(name: str, tmp_path: Path) -> None:
    said, shown = sections()[name], help_of(name, tmp_path)
    assert re.findall(r"```sh\n(.*)\n```", said) == [example_of(shown)]
    prose = re.sub(r"```sh\n.*\n```", "", said)
    options = set(re.findall(r"--[a-z][a-z-]+", shown.partition("Example: ")[0])) - {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", prose)) == options


def test_the_docs_list_every_item_of_the_doctor() -> None:
    source = Path(sys.modules["portico"].__file__ or "").parent / "cli" / "doctor"
    ids = {
        name
        for module in source.glob("*.py")
        for name in re.findall(r'(?:judged|item)\(\s*"([a-z-]+)"', module.read_text(encoding="utf-8"))
    }
    listed = re.findall(r"^\| (`.*`) \|", sections()["doctor"], flags=re.MULTILINE)
    assert set(re.findall("`([a-z-]+)`", " ".join(listed))) == ids
