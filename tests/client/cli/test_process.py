"""The kit in a process of its own, with the terminal, the browser and the folder of the machine."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from client.cli.desk import VARIABLES, Desk
from client.cli.provider import Provider
from requirements import requirement

pytestmark = requirement("ARCH-cli-login", "ARCH-cli-tokens")

EXAMPLE = Path(__file__).parents[3] / "examples" / "cli_bearer"
TOOL = EXAMPLE / "tool.py"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
PATIENCE = 30
"""In seconds."""
OPEN = "from portico_client_runtime.cli import Machine; print(Machine().open_browser('https://acme.example.com'))"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the variables of a machine without display and keyring, whose configuration is in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in {*VARIABLES, *DISPLAYS}}
    keyring = "keyring.backends.fail.Keyring"
    return {**kept, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), "PYTHON_KEYRING_BACKEND": keyring, **variables}


def test_the_tokens_are_in_the_folder_of_the_tool(desk: Desk, tmp_path: Path) -> None:
    token = desk.sign_up()

    def tool(command: str, text: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, str(TOOL), *command.split()],
            env=environment(tmp_path, ACME_URL=desk.url),
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout

    assert tool("login --with-token", f"{token}\n") == (0, "")
    assert tool("whoami") == (0, "Ann <ann@example.com>\n")
    assert tool("token") == (0, f"{token}\n")
    folder = tmp_path / "acme"
    assert sorted(path.name for path in folder.glob("*.json")) == ["credentials.json", "profiles.json"]
    assert (folder.stat().st_mode & 0o777, (folder / "credentials.json").stat().st_mode & 0o777) == (0o700, 0o600)
    assert tool("logout") == (0, "")
    assert tool("whoami") == (4, "")


@requirement("ARCH-cli-commands")
def test_who_gives_up_sees_no_traceback_and_nothing_is_kept(desk: Desk, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(TOOL), "login"],
        env=environment(tmp_path, ACME_URL=desk.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        shown = [process.stderr.readline() for _ in range(3)]
        assert shown[-1] == "Waiting for your approval; Ctrl+C gives up.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode not in {0, 4}
    assert (out, "Traceback" in err) == ("", False)
    assert list(tmp_path.rglob("*.json")) == []


@requirement("ARCH-cli-grants", "RFC 8252")
@pytest.mark.skipif(sys.platform == "win32", reason="it has no terminals of this kind")
def test_a_user_signs_in_on_a_page_that_the_browser_of_the_machine_opens(provider: Provider, tmp_path: Path) -> None:
    # Whatever BROWSER names is the browser.
    (tmp_path / "visit.py").write_text("import sys, httpx; httpx.get(sys.argv[1], follow_redirects=True)")
    variables = environment(tmp_path, ACME_URL=provider.url, BROWSER=f"{sys.executable} {tmp_path}/visit.py %s")

    def tool(command: str) -> tuple[int, str, str]:
        ours, terminal = os.openpty()
        line = [sys.executable, str(EXAMPLE / "native.py"), command]
        with os.fdopen(terminal, "wb") as there:
            done = subprocess.run(
                line, env=variables, stdin=there, stdout=subprocess.PIPE, stderr=there, timeout=PATIENCE, check=False
            )
        said = b""
        # Where nobody else has the terminal any more, its end is an error.
        with os.fdopen(ours, "rb", buffering=0) as here, suppress(OSError):
            while more := here.read(4096):
                said += more
        return done.returncode, done.stdout.decode(), said.decode()

    code, out, said = tool("login")
    assert (code, out, said.splitlines()[-1]) == (0, "", f"Signed in to {provider.url} as Ann <ann@example.com>")
    assert provider.asked[0]["scope"] == "openid profile email offline_access"
    assert [tool(command)[:2] for command in ("whoami", "token", "logout")] == [
        (0, "Ann <ann@example.com>\n"),
        (0, "access-1\n"),
        (0, ""),
    ]
    assert provider.live == set()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display")
def test_without_a_display_there_is_no_browser(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
    # A program that stands for one.
    opened = subprocess.run(
        [sys.executable, "-c", OPEN],
        env=environment(tmp_path, BROWSER="echo opened %s"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(opened.stdout.splitlines()) == ["True", "opened https://acme.example.com"]
