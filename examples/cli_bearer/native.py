"""The tool of tool.py where the server is an OAuth provider: its users sign in on a page, with nothing to type.

The provider knows it as a public, native client with the redirect URI http://127.0.0.1/callback:

ACME_URL=https://acme.example.com python native.py login
"""

import os

import httpx
import typer
from portico_client import AuthClient
from portico_client_runtime.cli import CommandLineLogin, Loopback

URL = os.environ.get("ACME_URL", "https://acme.example.com")

native = Loopback(client_id="acme-native", scopes=("openid", "profile", "email", "offline_access"))
acme = CommandLineLogin(AuthClient, app="acme", client_id="acme-cli", base_url=URL, loopback=native)
cli = typer.Typer(help="Acme on the command line.", no_args_is_help=True, pretty_exceptions_enable=False)
cli.add_typer(acme.commands())


@cli.command()
def projects() -> None:
    """List your projects."""
    with acme.signed_in():
        bearer = {"authorization": f"Bearer {acme.token()}"}
        answer = httpx.get(f"{URL}/projects", headers=bearer, timeout=30).raise_for_status()
        for name in answer.json():
            typer.echo(name)


if __name__ == "__main__":
    cli()
