"""What a provider of accounts must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class OAuthTokens:
    """What a provider lets us do in a user's name. See RFC 6749 §5.1."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    """None: the one in use stays valid."""
    id_token: str | None = field(default=None, repr=False)
    expires_in: float | None = None
    """Lifetime of the access token in seconds; None if the provider does not say."""
    refresh_token_expires_in: float | None = None
    """Lifetime of the refresh token in seconds; None if the provider does not say."""
    scopes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ProviderUser:
    """A user as a provider knows them."""

    email: str | None = None
    email_verified: bool = False
    """Whether the provider vouches for the address."""
    name: str | None = None
    image: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The whole profile, as the provider sent it."""


@runtime_checkable
class OAuthProvider(Protocol):
    """Where users have accounts; pass it in `Auth(social_providers=[...])`."""

    @property
    def id(self) -> str:
        """The provider's name in rows and calls, such as `github`."""
        ...

    async def user_info(self, tokens: OAuthTokens) -> ProviderUser | None:
        """Return the user whose tokens these are; None if the provider does not say.

        Raises:
            OAuthError: the provider cannot be reached, or answers what nobody can read.
        """
        ...


@runtime_checkable
class RefreshingProvider(OAuthProvider, Protocol):
    """A provider that gives new access tokens for a refresh token."""

    async def refresh(self, refresh_token: str) -> OAuthTokens:
        """Return new tokens.

        Raises:
            OAuthError: the provider refuses or cannot be reached.
        """
        ...
