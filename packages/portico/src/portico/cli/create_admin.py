"""`portico create-admin`: the first user, who appoints the others."""

import sys
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from portico.auth import Auth
from portico.cli import database
from portico.cli.appointing import Appointed, Wish, appointed, has_role, needs_password
from portico.cli.target import Target, load
from portico.crypto.random import random_letters
from portico.errors import ApiError, ConfigError
from portico.provisioning import IncompleteUserError
from portico.wire import Email

EXAMPLE = "Example: portico create-admin app:auth --email ann@example.com --generate-password"
LENGTH = 24
WAYS = "--password-stdin or --generate-password"


def create_admin(
    target: Target,
    *,
    email: Annotated[str, typer.Option(help="The address; it counts as proven.")],
    name: Annotated[str | None, typer.Option(help="Of a new user; without it, what stands before the @.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
    ] = False,
    generate_password: Annotated[
        bool, typer.Option("--generate-password", help="Make a password, and print it this once.")
    ] = False,
    no_role: Annotated[
        bool, typer.Option("--no-role", help="Give no role: a user with a proven address and a password.")
    ] = False,
) -> None:
    """Create a user with the role admin, or give the role to the user who has the address.

    Without an option about it, a new user's password is asked for; that of a user whose address is proven stays.
    """
    auth = load(target)
    address = _address(email)
    _check(auth, password_stdin=password_stdin, generate_password=generate_password, no_role=no_role)

    async def work() -> tuple[Appointed, str | None]:
        password = random_letters(LENGTH) if generate_password else _first_line() if password_stdin else None
        if password is None and needs_password(await auth.users.find_by_email(auth.context(None), address)):
            password = _asked()
        wish = Wish(email=address, name=name or address.partition("@")[0], password=password, gets_role=not no_role)
        return await appointed(auth, wish), password

    try:
        done, password = database.run(auth, target, work)
    except IncompleteUserError as refusal:
        lacking = ", ".join(refusal.columns)
        raise ConfigError(
            f"users of this Auth have more than a name and an address: {lacking}. Sign up, and run this to get the role"
        ) from refusal
    except ApiError as refusal:
        raise ConfigError(f"{address} is refused: {refusal.error.message}") from refusal
    typer.echo(f"{done.outcome} {done.user.email}, id {done.user.id}{'' if no_role else ', role admin'}")
    if generate_password:
        typer.echo(f"password: {password}")


def _check(auth: Auth[Any], *, password_stdin: bool, generate_password: bool, no_role: bool) -> None:
    if password_stdin and generate_password:
        raise ConfigError(f"say one of {WAYS}")
    if not auth.email_and_password.enabled:
        raise ConfigError("this Auth lets nobody in with a password: email_and_password=EmailAndPassword(enabled=True)")
    if not no_role and not has_role(auth):
        raise ConfigError(
            "users of this Auth have no roles, because the admin plugin is not installed: install it, or say --no-role "
            "for a user with a proven address and no role"
        )


def _address(text: str) -> str:
    try:
        return TypeAdapter(Email).validate_python(text).lower()
    except ValidationError:
        raise ConfigError(f"--email takes an address such as ann@example.com, not {text!r}") from None


def _first_line() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise ConfigError("stdin holds no password: write one line to it")
    return password


def _asked() -> str:
    if not sys.stdin.isatty():
        raise ConfigError(f"there is no terminal to ask for the password on: say {WAYS}")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
