"""A secret in a file of its own, made by the first process that asks."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from portico.crypto.random import random_letters
from portico.errors import ConfigError

LENGTH = 48
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def secret_in(path: Path) -> str:
    """Return the secret in the file at `path`, which is made, for its owner only, if it is not there.

    Processes that start at the same time get the same secret.

    Raises:
        ConfigError: others may read the file, or it is empty; the message says what to do.
    """
    try:
        with suppress(FileNotFoundError):
            return _read(path)
        _publish(path, random_letters(LENGTH))
        return _read(path)
    except OSError as error:
        raise ConfigError(f"cannot keep the secret in {path}: {error.strerror}") from error


def _read(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & OTHERS:
            raise ConfigError(
                f"other users of this machine may read the secret in {path}: run `chmod 600 {path}`, and if one of "
                f"them may have read it, `portico secret > {path}` as well, which signs everybody out"
            )
        secret = file.read().strip()
    if not secret:
        raise ConfigError(
            f"the secret in {path} is empty: restore the file, or delete it to get a new one, which signs everybody out"
        )
    return secret


def _publish(path: Path, secret: str) -> None:
    """Make the file with its content in one step, unless another process was faster."""
    draft = path.with_name(f"{path.name}.{random_letters(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            # A link, not a rename: a rename would replace the secret of the faster one.
            os.link(draft, path)
    finally:
        draft.unlink()
