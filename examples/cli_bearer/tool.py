"""A command-line tool that signs in, keeps the token in a file that nobody else can read, and calls an API.

It ends with 4 when it is not signed in, so that scripts can tell. With the server running:

export ACME_URL=http://localhost:3000
python tool.py login
python tool.py whoami
python tool.py projects
python tool.py logout
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from portico_client import AuthClient, BearerAuth, FileStorage, errors, models, two_factor_client

URL = os.environ.get("ACME_URL", "http://localhost:3000")
NOT_SIGNED_IN = 4

credentials = FileStorage(Path(typer.get_app_dir("acme")) / "credentials.json")
cli = typer.Typer(help="Acme on the command line.", no_args_is_help=True, pretty_exceptions_enable=False)


def main() -> None:
    """Run a command; what the server or the network says is one sentence, not a traceback."""
    try:
        cli()
    except errors.Unauthorized as error:
        typer.echo(f"acme: {error.message}", err=True)
        raise SystemExit(NOT_SIGNED_IN) from None
    except (errors.AuthError, httpx.HTTPError) as error:
        typer.echo(f"acme: {error}", err=True)
        raise SystemExit(1) from None


@contextmanager
def connected(auth: BearerAuth | None = None) -> Generator[AuthClient]:
    """Yield a client that speaks for whoever is signed in."""
    with AuthClient(URL, auth=auth or BearerAuth(credentials), plugins=[two_factor_client()]) as client:
        yield client


@cli.command()
def login(
    *, with_token: Annotated[bool, typer.Option("--with-token", help="Read a token from standard input.")] = False
) -> None:
    """Sign in, and keep the token."""
    if with_token:
        token = sys.stdin.readline().strip()
        with connected(BearerAuth(token=token)) as client:
            user = signed_in(client).user
            # Only a token that works is worth keeping.
            credentials.save(client.base_url, token)
    else:
        email, password = typer.prompt("E-mail"), typer.prompt("Password", hide_input=True)
        with connected() as client:
            user = sign_in(client, email, password)
    typer.echo(f"Signed in as {user.email}")


@cli.command()
def whoami() -> None:
    """Say who is signed in."""
    with connected() as client:
        user = signed_in(client).user
    typer.echo(f"{user.name} <{user.email}>")


@cli.command()
def projects() -> None:
    """List your projects."""
    with connected() as client:
        signed_in(client)
        token = credentials.load(client.base_url)
    # An API of your own takes the same token.
    answer = httpx.get(f"{URL}/projects", headers={"authorization": f"Bearer {token}"}, timeout=30)
    for name in answer.raise_for_status().json():
        typer.echo(name)


@cli.command()
def logout() -> None:
    """End the session on the server, and forget the token."""
    with connected() as client:
        client.sign_out()
    typer.echo("Signed out")


def sign_in(client: AuthClient, email: str, password: str) -> models.User:
    """Sign in with a password, and a code where the account asks for one."""
    match client.sign_in.email(email=email, password=password):
        case models.SignedIn(user=user):
            return user
        case models.TwoFactorRequired():
            return client.two_factor.verify_totp(code=typer.prompt("Code of your authenticator app")).user


def signed_in(client: AuthClient) -> models.SessionData:
    """Return the session, or end the tool."""
    session = client.session.get()
    if session is None:
        typer.echo("acme: you are not signed in; run `login` first", err=True)
        raise typer.Exit(NOT_SIGNED_IN)
    return session


if __name__ == "__main__":
    main()
