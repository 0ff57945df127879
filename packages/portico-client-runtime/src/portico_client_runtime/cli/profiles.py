"""The profiles of a tool: names for who one is at which server."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from portico_client_runtime.errors import ConfigError, StorageError
from portico_client_runtime.private_file import PrivateFile

FIRST = "default"
"""What a profile is called that nobody has named."""
LONGEST = 100
"""Characters of a name."""

Place = Literal["keyring", "file"]
Kind = Literal["session", "grant"]


class Profile(BaseModel):
    """One login."""

    server: str
    """The URL of the server, as it was given."""
    place: Place
    """Where its token is kept."""
    kind: Kind = "session"
    """What is kept there: the token of a session, or a grant of an OAuth provider."""


class Profiles(BaseModel):
    """All that a tool knows, without the tokens."""

    current: str | None = None
    """The one that is used unless another is named."""
    profiles: dict[str, Profile] = Field(default_factory=dict[str, Profile])

    def name_for(self, server: str | None) -> str:
        """Return whose profile a server is, the current one first; a new name if there is none yet."""
        names = sorted(self.profiles, key=lambda name: (name != self.current, name))
        if server is None:
            return self.current or FIRST
        found = [name for name in names if self.profiles[name].server == server]
        if found:
            return found[0]
        return FIRST if FIRST not in self.profiles else server.partition("://")[2].partition("/")[0]


class ProfileBook:
    """Profiles in a file; processes may share it."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path)

    def read(self) -> Profiles:
        """Return all profiles."""
        return self._parsed(self._file.read())

    @contextmanager
    def changing(self) -> Generator[Profiles]:
        """Yield all profiles, under a lock; what they have become in the end is kept."""
        with self._file.changing() as content:
            profiles = self._parsed(content)
            yield profiles
            content.clear()
            content.update(profiles.model_dump())

    def _parsed(self, content: object) -> Profiles:
        try:
            return Profiles.model_validate(content)
        except ValidationError:
            raise StorageError(f"{self._file.path} does not hold profiles: remove it, and log in again") from None


def check_name(name: str) -> None:
    """Refuse what could not be shown or typed again."""
    if not name.isprintable() or " " in name or name.startswith("-") or not 0 < len(name) <= LONGEST:
        raise ConfigError(f"a profile is called by a word, such as work, not {name!r}")
