"""A command-line tool: who is signed in with it, at which server, and where the token is."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from portico_client_runtime import BaseClient, BearerAuth, CredentialStorage, FileStorage
from portico_client_runtime.authentication import Authentication
from portico_client_runtime.cli.errors import NotSignedInError
from portico_client_runtime.cli.grant import GrantAuth, KeptGrant
from portico_client_runtime.cli.keyring_storage import KeyringStorage
from portico_client_runtime.cli.loopback_login import Loopback
from portico_client_runtime.cli.machine import Machine
from portico_client_runtime.cli.profiles import Kind, Place, Profile, ProfileBook, Profiles, check_name
from portico_client_runtime.errors import AuthError, ConfigError, StorageError
from portico_client_runtime.private_file import locked

ClientT = TypeVar("ClientT", bound=BaseClient[Any])
ClientT_co = TypeVar("ClientT_co", bound=BaseClient[Any], covariant=True)


class MakesClient(Protocol[ClientT_co]):
    """A client class, or a function such as `functools.partial(AuthClient, timeout=5)`."""

    def __call__(self, base_url: str, /, *, auth: Authentication) -> ClientT_co:
        """Return a client of one server as one identity."""
        ...


@dataclass(frozen=True, kw_only=True)
class Account:
    """A profile as one command uses it."""

    name: str
    server: str
    place: Place | None
    """Where its token is; None if nobody has signed in."""
    kind: Kind = "session"
    """What that token is."""


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[ClientT]):
    """What the commands of a tool have in common."""

    name: str
    make: MakesClient[ClientT]
    client_id: str
    base_url: str | None
    scopes: Sequence[str]
    loopback: Loopback | None
    group: str | None
    folder: Path
    machine: Machine = field(default_factory=Machine)

    def variable(self, what: str) -> str:
        """Return the name of an environment variable of this tool, such as ACME_TOKEN."""
        return f"{re.sub('[^A-Z0-9]', '_', self.name.upper())}_{what}"

    def command(self, rest: str) -> str:
        """Return how a command of the kit is called."""
        return " ".join(part for part in (self.name, self.group, rest) if part)

    @property
    def given_token(self) -> str | None:
        """The token of the environment, which comes first and is never kept."""
        return os.environ.get(self.variable("TOKEN")) or None

    @property
    def book(self) -> ProfileBook:
        """The profiles."""
        return ProfileBook(self.folder / "profiles.json")

    def account(self, profile: str | None, url: str | None) -> Account:
        """Return what is meant by options, variables and the profile that is used by default, in this order.

        Raises:
            ConfigError: Nothing says where the server is, or two things say it differently.
        """
        profile = profile or os.environ.get(self.variable("PROFILE")) or None
        url = (url or os.environ.get(self.variable("URL")) or "").rstrip("/") or None
        known = self.book.read()
        name = known.name_for(url) if profile is None else profile
        check_name(name)
        found = known.profiles.get(name)
        if found is None:
            server = url or self.base_url
            if server is None:
                raise ConfigError(f"where is the server? Give --url or set {self.variable('URL')}")
            return Account(name=name, server=server.rstrip("/"), place=None)
        if url not in {None, found.server}:
            raise ConfigError(f"profile {name} is for {found.server}, not for {url}: name another one with --profile")
        return Account(name=name, server=found.server, place=found.place, kind=found.kind)

    def client(self, account: Account) -> ClientT:
        """Return a client that speaks for an account.

        Raises:
            NotSignedInError: There is no token.
        """
        if self.given_token:
            return self.make(account.server, auth=BearerAuth(token=self.given_token))
        if account.kind == "grant":
            grant = self.grant(account)
            grant.load()
            return self.make(account.server, auth=GrantAuth(grant))
        self.token(account)
        return self.make(account.server, auth=BearerAuth(self._slot(account)))

    def anonymous(self, account: Account) -> ClientT:
        """Return a client that speaks for nobody."""
        return self.make(account.server, auth=Authentication())

    def token(self, account: Account) -> str:
        """Return the token of an account; one that ends soon is renewed, if it can be.

        Raises:
            NotSignedInError: There is none.
            StorageError: There is one, out of reach.
            AuthError: It cannot be renewed now.
        """
        if self.given_token is None and account.kind == "grant":
            return self.grant(account).access_token()
        found = self.given_token or (account.place and self._slot(account).load(""))
        if not found:
            raise self.not_signed_in(account)
        return found

    def grant(self, account: Account) -> KeptGrant:
        """Return what an OAuth provider granted to an account."""
        return KeptGrant(
            storage=self._slot(account),
            lock=self._lock,
            connect=lambda: self.anonymous(account),
            clock=self.machine.clock,
            missing=lambda: self.not_signed_in(account),
            ended=lambda: NotSignedInError(f"your login to {account.server} has ended: run `{self.command('login')}`"),
        )

    def not_signed_in(self, account: Account) -> NotSignedInError:
        """Return what to tell somebody whose token is missing or was not accepted."""
        if self.given_token:
            return NotSignedInError(f"{account.server} does not accept the token of {self.variable('TOKEN')}")
        others = len(self.book.read().profiles.keys() - {account.name})
        hint = f", or choose another profile with `{self.command('switch')}`" if others else ""
        return NotSignedInError(f"you are not signed in to {account.server}: run `{self.command('login')}`{hint}")

    def keep(self, account: Account, token: str, kind: Kind, *, is_file_wanted: bool) -> Sequence[str]:
        """Keep a token, make its profile the current one, and return what the user should know of the places."""
        # A grant that was there before may be about to be renewed.
        with locked(self._lock):
            place, failure = self._saved(account, token, is_file_wanted=is_file_wanted)
            with self.book.changing() as known:
                known.profiles[account.name] = Profile(server=account.server, place=place, kind=kind)
                known.current = account.name
            notes = [] if failure is None else [f"{failure}; it is in a file that only you can read"]
            if account.place not in {None, place}:
                try:
                    self._slot(account).delete("")
                except StorageError:
                    # Whoever has lost the keyring logs in to go on without it.
                    notes.append(f"the token from before stays in a {account.place} that cannot be used here")
        return notes

    def forget(self, account: Account, end: Callable[[], object]) -> AuthError | None:
        """Forget the token of an account and its profile, whatever comes of `end`, which ends the login on the server.

        Returns:
            Why it was not ended there.
        """
        failure = None
        with locked(self._lock):
            try:
                end()
            except AuthError as error:
                failure = error
            if account.place is not None:
                self._slot(account).delete("")
            with self.book.changing() as known:
                _drop(known, account.name)
        return failure

    def _saved(self, account: Account, token: str, *, is_file_wanted: bool) -> tuple[Place, str | None]:
        keyring = None if is_file_wanted else self.machine.keyring()
        failure = None
        if keyring is not None:
            try:
                _Slot(KeyringStorage(keyring, self.name), account).save("", token)
            except StorageError as error:
                failure = str(error)
            else:
                return "keyring", None
        _Slot(self._file, account).save("", token)
        return "file", failure

    def _slot(self, account: Account) -> "_Slot":
        if account.place != "keyring":
            return _Slot(self._file, account)
        keyring = self.machine.keyring()
        if keyring is None:
            raise StorageError(
                f"the token of profile {account.name} is in a keyring that cannot be used here: "
                f"run `{self.command('login --insecure-storage')}`, or set {self.variable('TOKEN')}"
            )
        return _Slot(KeyringStorage(keyring, self.name), account)

    @property
    def _lock(self) -> Path:
        """Who holds it changes what is kept, and knows that no grant is being renewed."""
        return self.folder / "credentials.lock"

    @property
    def _file(self) -> FileStorage:
        return FileStorage(self.folder / "credentials.json")


class _Slot:
    """The token of one account, whatever key a client asks for: it is for no other server than the account's."""

    def __init__(self, storage: CredentialStorage, account: Account) -> None:
        self._storage = storage
        self._name = f"{account.name} {account.server}"

    def load(self, key: str) -> str | None:
        return self._storage.load(self._name)

    def save(self, key: str, value: str) -> None:
        self._storage.save(self._name, value)

    def delete(self, key: str) -> None:
        self._storage.delete(self._name)


def _drop(known: Profiles, name: str) -> None:
    known.profiles.pop(name, None)
    if known.current == name:
        known.current = None
