"""Options of sessions and of their copies in cookies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from portico.options.rows import TableNames

if TYPE_CHECKING:
    from portico.store.secondary import PlainStorage, SecondaryStorage

CacheStrategy = Literal["compact", "jwt", "jwe"]


@dataclass(frozen=True, kw_only=True)
class CookieCacheOptions:
    """A copy of session and user in a cookie of their own, so that most requests read no database."""

    enabled: bool | None = None
    """A revoked session stays valid for cached reads until `max_age` is over; sensitive endpoints read the database.
    None: off, but on where sessions are stateless."""

    max_age: int | None = None
    """How long the copy is believed, in seconds. None: 300, or as long as the session where it is stateless."""

    strategy: CacheStrategy | None = None
    """`compact` and `jwt` are signed, `jwe` is encrypted as well. None: `compact`, or `jwe` where sessions are
    stateless and with `security="strict"`."""

    encoding: CacheStrategy | None = None
    """Another name of `strategy`; if both are given they must agree."""

    version: str | Callable[[Any, Any], str] = "1"
    """A copy of another version is not believed: change it to invalidate all copies. A function of session and user
    may tell them apart; it is called whenever a copy is read or written, with the rows as the copy holds them."""

    refresh_cache: bool | int | None = None
    """Write a copy anew, from what it holds, when it has this many seconds left; True is a fifth of `max_age`. Only
    without a database, where nobody can revoke the session meanwhile; with one it is ignored and warned about. None:
    True where sessions are stateless, else False."""

    instant_revocation: bool = False
    """A copy is believed only while its session is: each read also looks the session up by its token, in secondary
    storage if sessions live there. What is saved is the user and the write. Whoever ends a session counts at once, a
    TypeScript server and a `DELETE` by hand included."""


@dataclass(frozen=True, kw_only=True)
class SessionOptions(TableNames):
    """Lifetimes of sessions, and the names of their table."""

    expires_in: int = 7 * 24 * 3600
    """Lifetime of a session without use, in seconds."""

    update_age: int = 24 * 3600
    """A session in use is prolonged when it is older than this, in seconds; 0 prolongs it on every call."""

    fresh_age: int = 24 * 3600
    """How long after sign-in `fresh` endpoints may be called, in seconds; 0 turns the check off."""

    disable_session_refresh: bool = False
    """A session ends `expires_in` after sign-in, however much it is used."""

    defer_session_refresh: bool = False
    """Nothing but a POST to get-session prolongs a session; a GET says `needsRefresh` and only reads, so that a replica
    of the database can serve it."""

    fresh_for_sensitive: bool | None = None
    """Who turns two-factor off or changes the address must have signed in recently (`fresh_age`), not only be signed
    in. None: with `security="strict"`."""

    cookie_cache: CookieCacheOptions = field(default_factory=CookieCacheOptions)

    storage: "SecondaryStorage | PlainStorage | None" = None
    """Secondary storage for sessions and nothing else; `Auth(secondary_storage=...)` if None."""

    store_session_in_database: bool = False
    """With secondary storage, which sessions move to: keep them in the database as well, where they outlive its loss.
    Without secondary storage they always are there."""

    preserve_session_in_database: bool = False
    """Rows of sessions that were ended stay in the database and say when; such a record lets nobody in."""
