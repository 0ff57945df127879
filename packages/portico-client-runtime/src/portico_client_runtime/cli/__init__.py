"""Command-line login, for any typer application; `pip install 'portico-client-runtime[cli]'` brings what it needs."""

# Says what is missing, ahead of what needs it.
from portico_client_runtime.cli import extra as _extra  # noqa: F401  # pyright: ignore[reportUnusedImport]  # its import is its work
from portico_client_runtime.cli.errors import LoginError, NotSignedInError
from portico_client_runtime.cli.keyring_storage import Keyring, KeyringStorage, system_keyring
from portico_client_runtime.cli.kit import CommandLineLogin
from portico_client_runtime.cli.loopback_login import Loopback
from portico_client_runtime.cli.machine import Machine

__all__ = [
    "CommandLineLogin",
    "Loopback",
    # what it touches outside
    "Keyring",
    "KeyringStorage",
    "Machine",
    "system_keyring",
    # what goes wrong
    "LoginError",
    "NotSignedInError",
]
