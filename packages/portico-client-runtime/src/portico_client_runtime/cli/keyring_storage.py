"""Tokens in the keyring of the operating system."""

from typing import Any, Protocol

from portico_client_runtime.errors import StorageError

RECOMMENDED = 1
"""Lower priorities are those of backends that keep nothing, or in plain text."""


class Keyring(Protocol):
    """What the kit uses of a backend of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a text."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        ...


def system_keyring() -> Keyring | None:
    """Return the keyring of this machine, or None where there is none that keeps secrets."""
    import keyring  # noqa: PLC0415  # looks for every backend there is; a token from the environment needs none

    # Its methods are wrapped in a way that loses their types.
    backend: Any = keyring.get_keyring()
    return backend if backend.priority >= RECOMMENDED else None


class KeyringStorage:
    """Keeps credentials under the name of a tool; each key is an account of its own there."""

    def __init__(self, keyring: Keyring, service: str) -> None:
        self._keyring = keyring
        self._service = service

    def load(self, key: str) -> str | None:
        """Return what was saved."""
        try:
            return self._keyring.get_password(self._service, key)
        # Backends raise whatever their library does when a keyring is locked or gone.
        except Exception as error:
            raise StorageError(f"the keyring cannot be read: {_reason(error)}") from error

    def save(self, key: str, value: str) -> None:
        """Keep `value`."""
        try:
            self._keyring.set_password(self._service, key, value)
        except Exception as error:
            raise StorageError(f"the keyring does not take the token: {_reason(error)}") from error

    def delete(self, key: str) -> None:
        """Forget what was saved."""
        # Backends differ about what was never there.
        if self.load(key) is None:
            return
        try:
            self._keyring.delete_password(self._service, key)
        except Exception as error:
            raise StorageError(f"the keyring does not forget the token: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
