"""A command-line tool that signs in by a code in a browser, keeps its token safe, and calls an API.

It ends with 4 when it is not signed in, so that scripts can tell. With the server running:

python tool.py login
python tool.py whoami
python tool.py projects
python tool.py logout
"""

import os

import httpx
import typer
from portico_client import AuthClient
from portico_client_runtime.cli import CommandLineLogin

URL = os.environ.get("ACME_URL", "http://localhost:3000")

acme = CommandLineLogin(AuthClient, app="acme", client_id="acme-cli", base_url=URL)
cli = typer.Typer(help="Acme on the command line.", no_args_is_help=True, pretty_exceptions_enable=False)
cli.add_typer(acme.commands())


@cli.command()
def projects() -> None:
    """List your projects."""
    with acme.signed_in():
        # An API of your own takes the same token.
        bearer = {"authorization": f"Bearer {acme.token()}"}
        answer = httpx.get(f"{URL}/projects", headers=bearer, timeout=30).raise_for_status()
        for name in answer.json():
            typer.echo(name)


@cli.command()
def sessions() -> None:
    """List where you are signed in."""
    with acme.signed_in() as client:
        for session in client.list_sessions():
            typer.echo(f"{session.created_at:%Y-%m-%d %H:%M} {session.user_agent}")


if __name__ == "__main__":
    cli()
