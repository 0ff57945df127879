"""The ways to a token, and the proof that it works."""

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import typer
from pydantic import BaseModel

from portico_client_runtime import BaseClient, BearerAuth, MemoryStorage
from portico_client_runtime.cli.console import printable, say
from portico_client_runtime.cli.device_login import DeviceCode, log_in_by_code
from portico_client_runtime.cli.errors import NotSignedInError
from portico_client_runtime.cli.tool import Account, Tool
from portico_client_runtime.errors import ConfigError
from portico_client_runtime.shapes import is_object

BROWSABLE = ("https://", "http://")
"""Whatever else a server calls its page would start another program."""

Way: TypeAlias = Callable[[BaseClient[Any]], str]
"""Gets a token, by means of a client that has none yet."""


def refuse_given(tool: Tool[Any]) -> None:
    """Refuse to change what is kept while the environment says otherwise."""
    if tool.given_token:
        variable = tool.variable("TOKEN")
        raise ConfigError(f"{variable} is set and comes first: unset it to sign in or out here")


def from_stdin(tool: Tool[Any]) -> Way:
    """Return the way of machines: a token on standard input."""

    def read(_client: BaseClient[Any]) -> str:
        if tool.machine.is_interactive():
            given = str(typer.prompt("Token", hide_input=True, err=True))
        else:
            given = sys.stdin.readline()
        token = given.strip()
        # It goes into a header.
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError("standard input has no token: write it there on a line of its own")
        return token

    return read


def by_code(tool: Tool[Any], *, is_browser_wanted: bool) -> Way:
    """Return the way of people: a code that is approved in a browser."""

    def show(asked: DeviceCode) -> None:
        page = asked.verification_uri_complete or asked.verification_uri
        say(f"Open {printable(asked.verification_uri)} and enter the code {printable(asked.user_code)}")
        if asked.verification_uri_complete:
            say(f"or open {printable(page)} and compare the code.")
        machine = tool.machine
        if is_browser_wanted and machine.is_interactive() and page.startswith(BROWSABLE) and machine.open_browser(page):
            say("Your browser has been told to open it.")
        say("Waiting for your approval; Ctrl+C gives up.")

    def get(client: BaseClient[Any]) -> str:
        return log_in_by_code(client, client_id=tool.client_id, scopes=tool.scopes, show=show, machine=tool.machine)

    return get


def signed_in(tool: Tool[Any], account: Account, way: Way) -> tuple[str, dict[str, Any]]:
    """Return a token that works, and its user.

    Raises:
        NotSignedInError: The server does not accept the token.
    """
    storage = MemoryStorage()
    with tool.make(account.server, auth=BearerAuth(storage)) as client:
        token = way(client)
        storage.save(client.base_url, token)
        user = user_of(client)
        if user is None:
            raise NotSignedInError(f"{account.server} does not accept the token; does it have the plugin bearer?")
        # A session that was prolonged has another token.
        return storage.load(client.base_url) or token, user


def user_of(client: BaseClient[Any]) -> dict[str, Any] | None:
    """Return the user of a client's session as the server sent it; None without one."""
    session: object = client.session.get()
    if isinstance(session, BaseModel):
        session = session.model_dump(mode="json", by_alias=True, exclude_unset=True)
    user = session.get("user") if is_object(session) else None
    return user if is_object(user) else None
