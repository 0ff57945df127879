"""Command-line login for a tool: its commands, and a client for the tool's own."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic

import typer

from portico_client_runtime.cli.commands import commands
from portico_client_runtime.cli.console import explained
from portico_client_runtime.cli.loopback_login import Loopback
from portico_client_runtime.cli.machine import Machine
from portico_client_runtime.cli.tool import ClientT, MakesClient, Tool


class CommandLineLogin(Generic[ClientT]):
    """`login`, `whoami`, `token`, `logout`, `profiles` and `switch` for a typer application.

    A token comes from the environment (ACME_TOKEN for a tool called acme), else from the keyring, else from a file that
    nobody else can read. Commands end with 0, 1 for a failure, 2 for a mistake in what was asked for, and 4 if nobody
    is signed in; they write data to stdout and everything else to stderr.
    """

    def __init__(
        self,
        client: MakesClient[ClientT],
        *,
        app: str,
        client_id: str,
        base_url: str | None = None,
        scopes: Sequence[str] = (),
        loopback: Loopback | None = None,
        group: str | None = None,
        folder: Path | None = None,
        machine: Machine | None = None,
    ) -> None:
        """Say what the tool is, and where it signs in.

        Args:
            client: The client class, such as `AuthClient`, or what makes a client of a URL and `auth=`.
            app: The name of the tool: of its folder, of its accounts in the keyring, and of its variables.
            client_id: What the server knows the tool by in the device flow.
            base_url: Where the server is unless `--url` or ACME_URL says otherwise; one of them must, if None.
            scopes: What the device flow asks for.
            loopback: What an OAuth provider knows the tool by: where the server is one, and there is a browser, users
                sign in on its page, and the token is an access token of the provider. None for sessions alone.
            group: The group of commands, such as `auth`, that messages name; None if they stand by themselves.
            folder: Where profiles and tokens are kept; the folder that the operating system has for the tool, if None.
            machine: The keyring, the browser, the terminal and the time.
        """
        self._tool: Tool[ClientT] = Tool(
            name=app,
            make=client,
            client_id=client_id,
            base_url=base_url,
            scopes=scopes,
            loopback=loopback,
            group=group,
            folder=Path(typer.get_app_dir(app)) if folder is None else folder,
            machine=Machine() if machine is None else machine,
        )

    def commands(self) -> typer.Typer:
        """Return the commands, to be added: `cli.add_typer(acme.commands())`."""
        return commands(self._tool)

    @contextmanager
    def signed_in(self, *, profile: str | None = None, url: str | None = None) -> Generator[ClientT]:
        """Yield a client that speaks for whoever is signed in.

        Without a token, and when the server, httpx or the client refuses something within, the command ends with one
        sentence on stderr and its exit code.
        """
        with explained(self._tool.name), self._tool.client(self._tool.account(profile, url)) as client:
            yield client

    def token(self, *, profile: str | None = None, url: str | None = None) -> str:
        """Return the token of whoever is signed in, for an API that is no part of the client.

        An access token that ends within 30 seconds is renewed first. Without one, the command ends with one sentence on
        stderr and exit code 4.
        """
        with explained(self._tool.name):
            return self._tool.token(self._tool.account(profile, url))
