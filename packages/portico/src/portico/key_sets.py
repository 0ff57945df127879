"""Public keys by their ids: of a set that is given, or of one that a server publishes. See RFC 7517 §5."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from portico.crypto.claims import is_array, is_object, read_claims
from portico.crypto.key_families import Algorithm
from portico.errors import ConfigError, KeysUnavailableError

if TYPE_CHECKING:
    from portico.crypto.jws import VerifyingKey

FRESH_FOR = timedelta(minutes=10)
"""How long keys are used before they are fetched again."""
USABLE_FOR = timedelta(hours=1)
"""How long they are used if that fails."""
COOLDOWN = timedelta(seconds=30)
"""How long nothing is fetched after a try, whatever tokens name: anybody can make up the id of a key."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Fetch = Callable[[str], bytes]


class Keys(Protocol):
    """Finds public keys."""

    def is_due(self, key_id: str) -> bool:
        """Tell whether to look for this key would fetch."""
        ...

    def find(self, key_id: str, algorithm: Algorithm) -> "VerifyingKey | None":
        """Return a key; None if there is none of this id for this algorithm."""
        ...


class GivenKeys:
    """A key set that is known from the start."""

    def __init__(self, key_set: Mapping[str, Any]) -> None:
        """Read a key set; raise ValueError if it is none."""
        self._keys = _by_id(key_set)
        self._read: dict[tuple[str, str], VerifyingKey | None] = {}

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def is_due(self, key_id: str) -> bool:
        """Return False: nothing is ever fetched."""
        return False

    def find(self, key_id: str, algorithm: Algorithm) -> "VerifyingKey | None":
        """Return a key; None if there is none of this id for this algorithm."""
        jwk = self._keys.get(key_id)
        if jwk is None:
            return None
        if (key_id, algorithm) not in self._read:
            # The library behind this takes longer to import than all the rest of a verifier.
            from portico.crypto.jws import verifying_key  # noqa: PLC0415

            self._read[key_id, algorithm] = verifying_key(jwk, algorithm)
        return self._read[key_id, algorithm]


class RemoteKeys:
    """The key set at a URL, fetched when it is needed and not too often; safe to use from many threads.

    A key of an unknown id makes it look again, as a server may have begun to use a new one.
    """

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], datetime]) -> None:
        self._url, self._fetch, self._clock = url, fetch, clock
        self._known: GivenKeys | None = None
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._failure: str | None = None
        self._lock = threading.Lock()

    def is_due(self, key_id: str) -> bool:
        """Tell whether it is time to fetch the set, which blocks."""
        now = self._clock()
        if self._tried is not None and timedelta() <= now - self._tried < COOLDOWN:
            return False
        return self._known is None or key_id not in self._known or not self._is_younger(FRESH_FOR, now)

    def find(self, key_id: str, algorithm: Algorithm) -> "VerifyingKey | None":
        """Return a key; None if there is none of this id for this algorithm.

        Raises:
            KeysUnavailableError: the set could not be fetched for long.
        """
        if self.is_due(key_id):
            self._refresh(key_id)
        if self._known is None or not self._is_younger(USABLE_FOR, self._clock()):
            reason = "" if self._failure is None else f": {self._failure}"
            raise KeysUnavailableError(f"the key set at {self._url} cannot be fetched{reason}")
        return self._known.find(key_id, algorithm)

    def _refresh(self, key_id: str) -> None:
        # Who has the key already does not wait for somebody else who fetches.
        has_key = self._known is not None and key_id in self._known
        if not self._lock.acquire(blocking=not has_key):
            return
        try:
            if self.is_due(key_id):
                self._look()
        finally:
            self._lock.release()

    def _look(self) -> None:
        began = self._clock()
        try:
            self._known = _read(self._fetch(self._url))
            self._fetched = began
            self._failure = None
        except (OSError, ValueError) as error:
            # Known keys serve for a while; without any, the caller is told. The error itself would keep a connection.
            self._failure = str(error)
        finally:
            # Only now: who comes meanwhile waits for the keys, and is not told that there are none.
            self._tried = self._clock()

    def _is_younger(self, age: timedelta, now: datetime) -> bool:
        return self._fetched is not None and now - self._fetched < age


def check_url(url: str, *, allows_http: bool) -> None:
    """Raise ConfigError for a URL whose keys could be anybody's."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and (allows_http or parts.hostname in LOOPBACK))
    if not is_safe or not parts.hostname or parts.username is not None:
        raise ConfigError(f"the keys at {url!r} could be anybody's: they are fetched over https")


def fetched(url: str) -> bytes:
    """Return what is at a URL."""
    # Who is given the keys, or fetches them with a client of their own, needs no other.
    from portico.fetching import fetched  # noqa: PLC0415

    return fetched(url)


def _read(text: bytes) -> GivenKeys:
    key_set = read_claims(text)
    if key_set is None:
        raise ValueError("a key set is a JSON object")
    return GivenKeys(key_set)


def _by_id(key_set: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    keys = key_set.get("keys")
    if not is_array(keys):
        raise ValueError("a key set has a list of keys")
    found: dict[str, Mapping[str, Any]] = {}
    for key in keys:
        # Whatever else is in the set is for others: see RFC 7517 §5.
        if is_object(key) and isinstance(key.get("kid"), str):
            found.setdefault(key["kid"], key)
    return found
