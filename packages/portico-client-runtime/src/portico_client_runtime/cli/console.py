"""What a tool writes: data to stdout, everything else to stderr, and a sentence with an exit code in the end."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx
import typer

from portico_client_runtime.cli.errors import NotSignedInError
from portico_client_runtime.errors import ApiError, AuthError, ConfigError, ConnectionFailed

FAILED = 1
MISUSED = 2
NOT_SIGNED_IN = 4


def printable(text: str) -> str:
    """Return text of a server without what would steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def say(text: str) -> None:
    """Tell the user something."""
    typer.echo(text, err=True)


def put(text: str) -> None:
    """Write data for whoever reads stdout."""
    typer.echo(text)


def put_json(value: Any) -> None:
    """Write data for programs."""
    typer.echo(json.dumps(value, indent=2))


@contextmanager
def explained(tool: str) -> Generator[None]:
    """Turn what goes wrong within into one sentence and an exit code."""
    try:
        yield
    except (AuthError, httpx.HTTPError) as error:
        say(f"{tool}: {printable(_sentence(error))}")
        raise typer.Exit(_exit_code(error)) from None


def _sentence(error: Exception) -> str:
    said = str(error) or type(error).__name__
    if isinstance(error, ConnectionFailed | httpx.TransportError):
        return f"the server cannot be reached: {said}"
    return said


def _exit_code(error: Exception) -> int:
    if isinstance(error, ConfigError):
        return MISUSED
    if isinstance(error, NotSignedInError):
        return NOT_SIGNED_IN
    refused = isinstance(error, ApiError) and error.status == HTTPStatus.UNAUTHORIZED
    refused = refused or (
        isinstance(error, httpx.HTTPStatusError) and error.response.status_code == HTTPStatus.UNAUTHORIZED
    )
    return NOT_SIGNED_IN if refused else FAILED
