"""The ways to a token, and the proof that it works."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import typer
from pydantic import BaseModel

from portico_client_runtime import BaseClient, BearerAuth, MemoryStorage
from portico_client_runtime.cli.authorization_server import claims_of, discovered, offered
from portico_client_runtime.cli.console import printable, say
from portico_client_runtime.cli.device_login import DeviceCode, log_in_by_code
from portico_client_runtime.cli.errors import NotSignedInError
from portico_client_runtime.cli.grant import granted
from portico_client_runtime.cli.loopback_login import log_in_by_loopback
from portico_client_runtime.cli.profiles import Kind
from portico_client_runtime.cli.tool import Account, Tool
from portico_client_runtime.errors import ConfigError
from portico_client_runtime.shapes import is_object

BROWSABLE = ("https://", "http://")
"""Whatever else a server calls its page would start another program."""

Way: TypeAlias = Callable[[BaseClient[Any]], str]
"""Gets a token, by means of a client that has none yet."""


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A login that works."""

    kind: Kind
    token: str = field(repr=False)
    """What is to be kept."""
    user: dict[str, Any]
    """As the server sent it."""


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


def by_page(tool: Tool[Any], account: Account) -> SignedIn | None:
    """Sign in on a page of the server; None if the tool, the machine or the server has no part in that.

    Raises:
        LoginError: It came to nothing, or the server is not what it should be.
        AuthError: The server refused or did not answer.
    """
    if tool.loopback is None or not tool.machine.is_interactive():
        return None
    with tool.anonymous(account) as client:
        server = discovered(client)
        if server is None:
            say(f"{account.server} offers no login on a page of its own: use a code instead.")
            return None
        tokens = log_in_by_loopback(client, server, tool.loopback, tool.machine)
    if tokens is None:
        say("No browser could be opened here: use a code instead.")
        return None
    with tool.make(account.server, auth=BearerAuth(token=tokens.access_token)) as client:
        user = claims_of(client, server)
    if user is None:
        raise NotSignedInError(f"{account.server} does not accept the token that it gave")
    grant = granted(tokens, tool.machine.clock(), client_id=tool.loopback.client_id, resource=tool.loopback.resource)
    return SignedIn(kind="grant", token=grant.text, user=user)


def signed_in(tool: Tool[Any], account: Account, way: Way) -> SignedIn:
    """Return a session whose token works.

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
        return SignedIn(kind="session", token=storage.load(client.base_url) or token, user=user)


def who_is(tool: Tool[Any], account: Account) -> dict[str, Any] | None:
    """Return the user of an account as the server sent it; None if the token is not accepted.

    Raises:
        NotSignedInError: There is no token.
        AuthError: The server refused or did not answer.
    """
    with tool.client(account) as client:
        if tool.given_token is None and account.kind == "grant":
            with tool.anonymous(account) as asking:
                server = offered(asking)
            return claims_of(client, server)
        user = user_of(client)
        if user is not None or tool.given_token is None or tool.loopback is None:
            return user
        # The token of the environment may be an access token, too.
        with tool.anonymous(account) as asking:
            found = discovered(asking)
        return None if found is None else claims_of(client, found)


def user_of(client: BaseClient[Any]) -> dict[str, Any] | None:
    """Return the user of a client's session as the server sent it; None without one."""
    session: object = client.session.get()
    if isinstance(session, BaseModel):
        session = session.model_dump(mode="json", by_alias=True, exclude_unset=True)
    user = session.get("user") if is_object(session) else None
    return user if is_object(user) else None
