"""The commands: each says what it takes and writes what it found."""

from functools import partial
from typing import Annotated, Any, TypeAlias

import typer
from typer.models import OptionInfo

from portico_client_runtime import Operation
from portico_client_runtime.cli.console import explained, printable, put, put_json, say
from portico_client_runtime.cli.errors import LoginError
from portico_client_runtime.cli.signing_in import by_code, by_page, from_stdin, refuse_given, signed_in, who_is
from portico_client_runtime.cli.tool import Tool
from portico_client_runtime.errors import ConfigError

SIGN_OUT: Operation[Any] = Operation("POST", "/sign-out", Any, signals=("session",), idempotent=True)
AnyTool: TypeAlias = Tool[Any]


def commands(tool: AnyTool) -> typer.Typer:
    """Return all commands, under the tool's group if it has one."""
    cli = typer.Typer(name=tool.group, help="Sign in and out.", no_args_is_help=True)
    for add in (_add_login, _add_whoami, _add_token, _add_logout, _add_profiles, _add_switch):
        add(cli, tool)
    return cli


def _add_login(cli: typer.Typer, tool: AnyTool) -> None:
    named, at = _profile(tool), _url(tool)

    @cli.command(epilog=f"Example: {tool.command('login --profile work')}")
    def login(
        *,
        profile: Annotated[str | None, named] = None,
        url: Annotated[str | None, at] = None,
        with_token: Annotated[bool, typer.Option("--with-token", help="Read a token from standard input.")] = False,
        no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
        insecure_storage: Annotated[
            bool, typer.Option("--insecure-storage", help="Keep the token in a file, not in the keyring.")
        ] = False,
    ) -> None:
        """Sign in, and keep the token."""
        with explained(tool.name):
            refuse_given(tool)
            account = tool.account(profile, url)
            found = None if with_token or no_browser else by_page(tool, account)
            if found is None:
                way = from_stdin(tool) if with_token else by_code(tool, is_browser_wanted=not no_browser)
                found = signed_in(tool, account, way)
            for note in tool.keep(account, found.token, found.kind, is_file_wanted=insecure_storage):
                say(f"{tool.name}: {printable(note)}")
            say(f"Signed in to {account.server} as {_called(found.user)}")


def _add_whoami(cli: typer.Typer, tool: AnyTool) -> None:
    named, at = _profile(tool), _url(tool)

    @cli.command(epilog=f"Example: {tool.command('whoami --json')}")
    def whoami(
        *,
        profile: Annotated[str | None, named] = None,
        url: Annotated[str | None, at] = None,
        json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    ) -> None:
        """Say who is signed in; exit with 4 if nobody is."""
        with explained(tool.name):
            account = tool.account(profile, url)
            user = who_is(tool, account)
            if user is None:
                raise tool.not_signed_in(account)
            if json:
                put_json({"profile": account.name, "server": account.server, "user": user})
            else:
                put(_called(user))


def _add_token(cli: typer.Typer, tool: AnyTool) -> None:
    named, at = _profile(tool), _url(tool)

    @cli.command(epilog=f'Example: curl -H "Authorization: Bearer $({tool.command("token")})" ...')
    def token(*, profile: Annotated[str | None, named] = None, url: Annotated[str | None, at] = None) -> None:
        """Write the token, for other programs; exit with 4 if there is none."""
        with explained(tool.name):
            put(tool.token(tool.account(profile, url)))


def _add_logout(cli: typer.Typer, tool: AnyTool) -> None:
    named, at = _profile(tool), _url(tool)

    @cli.command(epilog=f"Example: {tool.command('logout --profile work')}")
    def logout(*, profile: Annotated[str | None, named] = None, url: Annotated[str | None, at] = None) -> None:
        """End the login on the server, and forget the token and its profile."""
        with explained(tool.name):
            refuse_given(tool)
            account = tool.account(profile, url)
            with tool.client(account) as client:
                is_grant = account.kind == "grant"
                end = tool.grant(account).revoke if is_grant else partial(client.send, SIGN_OUT, body={})
                failure = tool.forget(account, end)
            if failure is not None:
                what = "login" if is_grant else "session"
                raise LoginError(
                    f"the token is forgotten, but its {what} on the server was not ended: {failure}"
                ) from failure
            say(f"Signed out of {account.server}")


def _add_profiles(cli: typer.Typer, tool: AnyTool) -> None:
    @cli.command(epilog=f"Example: {tool.command('profiles')}")
    def profiles(*, json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
        """List where you have signed in; the profile with a star is used unless another is named."""
        with explained(tool.name):
            known = tool.book.read()
        if json:
            put_json(
                [
                    {"profile": name, **found.model_dump(exclude={"kind"}), "current": name == known.current}
                    for name, found in sorted(known.profiles.items())
                ]
            )
            return
        for name, found in sorted(known.profiles.items()):
            put(f"{'*' if name == known.current else ' '} {name}  {found.server}")


def _add_switch(cli: typer.Typer, tool: AnyTool) -> None:
    @cli.command(epilog=f"Example: {tool.command('switch work')}")
    def switch(profile: Annotated[str, typer.Argument(help="The profile to use.")]) -> None:
        """Use another profile unless one is named."""
        with explained(tool.name), tool.book.changing() as known:
            if profile not in known.profiles:
                raise ConfigError(f"there is no profile {profile!r}: see `{tool.command('profiles')}`")
            known.current = profile


def _profile(tool: AnyTool) -> OptionInfo:
    option: OptionInfo = typer.Option(
        "--profile", envvar=tool.variable("PROFILE"), help="Which of your logins is meant.", metavar="NAME"
    )
    return option


def _url(tool: AnyTool) -> OptionInfo:
    option: OptionInfo = typer.Option("--url", envvar=tool.variable("URL"), help="Where the server is.", metavar="URL")
    return option


def _called(user: dict[str, Any]) -> str:
    """Return a user in words."""
    name, email = (printable(str(user.get(field) or "")) for field in ("name", "email"))
    return f"{name} <{email}>" if name and email else name or email or printable(str(user.get("id") or user.get("sub")))
