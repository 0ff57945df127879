"""Somebody at a desk: a terminal with a tool, a browser, a keyring, and a server whose clock is the tool's."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from app import plain
from live import live
from portico import AnyApi, Auth
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.testing import Clock
from portico_client import AuthClient, BearerAuth
from portico_client_runtime.cli import CommandLineLogin, Keyring, Machine

PASSWORD = "password123"
VARIABLES = ("ACME_TOKEN", "ACME_URL", "ACME_PROFILE", "BETTER_AUTH_URL")


@dataclass
class Drawer:
    """A keyring in memory, in the form of a backend of `keyring`."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    trouble: Exception | None = None
    """What every call ends in."""

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.kept[service, username]

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Deed = Callable[[], object]


@dataclass
class Desk:
    """Runs commands of a tool called acme, in this process; what is done while it waits is in `meanwhile`."""

    folder: Path
    url: str = "https://acme.example.com"
    clock: Clock = field(default_factory=Clock)
    keyring: Keyring | None = None
    is_interactive: bool = False
    has_browser: bool = True
    client: Callable[..., Any] = AuthClient
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the client."""
    login: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of CommandLineLogin, other than those of a desk."""
    codes: list[str] = field(default_factory=list[str])
    """The user codes that the server gave out."""
    meanwhile: list[Deed] = field(default_factory=list[Deed])
    """What is done in each pause, one after the other."""
    pauses: list[float] = field(default_factory=list[float])
    """In seconds."""
    opened: list[str] = field(default_factory=list[str])
    """What the browser was told to open."""
    visit: Callable[[str], object] = lambda url: None
    """What it does there."""

    def run(self, command: str, text: str = "", **variables: str) -> Outcome:
        """Run a command; `text` is its standard input."""
        nobodys = dict.fromkeys(VARIABLES)
        ended = CliRunner().invoke(self.tool(), command.split(), input=text, env={**nobodys, **variables})
        return Outcome(ended.exit_code, ended.stdout, ended.stderr)

    def tool(self) -> typer.Typer:
        """Return the tool: the kit's commands and one of its own."""
        machine = Machine(
            keyring=lambda: self.keyring,
            open_browser=self._open,
            is_interactive=lambda: self.is_interactive,
            clock=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  # the time of each moment
            sleep=self._sleep,
        )
        given: dict[str, Any] = {"app": "acme", "base_url": self.url, "client_id": "acme-cli", **self.login}
        acme = CommandLineLogin(
            partial(self.client, **{"max_retries": 0, **self.options}), folder=self.folder, machine=machine, **given
        )
        cli = typer.Typer()
        cli.add_typer(acme.commands())

        @cli.command()
        def projects() -> None:
            """List projects."""
            with acme.signed_in() as client:
                typer.echo(f"{len(client.list_sessions())} sessions with {acme.token()}")

        return cli

    def sign_up(self, name: str = "Ann") -> str:
        """Make a user, and return the token of their session."""
        with AuthClient(self.url) as browser:
            token = browser.sign_up.email(name=name, email=f"{name.lower()}@example.com", password=PASSWORD).token
        assert token is not None
        return token

    def decide(self, verb: str, token: str) -> None:
        """Approve or deny the latest code, as the user of a session would in a browser."""
        with AuthClient(self.url, auth=BearerAuth(token=token)) as browser:
            asked = browser.device(user_code=self.codes[-1])
            assert (asked.status, asked.client_id) == ("pending", "acme-cli")
            getattr(browser.device, verb)(user_code=self.codes[-1])

    def session_of(self, token: str) -> Any:
        """Return the session of a token; None if it has ended."""
        with AuthClient(self.url, auth=BearerAuth(token=token)) as browser:
            return browser.session.get()

    def log_in(self, token: str, options: str = "") -> Outcome:
        """Log in with a token that is known."""
        return self.run(f"login --with-token {options}", f"{token}\n")

    @property
    def files(self) -> Mapping[str, str]:
        """What is kept in files, by name."""
        found = sorted(self.folder.glob("*.json"))
        return {path.name: path.read_text() for path in found}

    def serves(self, clock: Clock, url: str, **options: Any) -> Auth[AnyApi]:
        """Return the server."""
        return plain(
            DeviceAuthorization(generate_user_code=self._new_code, **options), Bearer(), clock=clock, base_url=url
        )

    def _new_code(self) -> str:
        self.codes.append(f"CODE{len(self.codes)}")
        return self.codes[-1]

    def _open(self, url: str) -> bool:
        self.opened.append(url)
        if self.has_browser:
            self.visit(url)
        return self.has_browser

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


@contextmanager
def desk_at_server(folder: Path, **options: Any) -> Generator[Desk]:
    """Yield a desk whose tool signs in to a live server."""
    desk = Desk(folder)
    with live(lambda url: desk.serves(desk.clock, url, **options)) as url:
        desk.url = url
        yield desk
