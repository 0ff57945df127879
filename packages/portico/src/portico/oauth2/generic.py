"""Any provider that follows RFC 6749, over httpx."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from portico.errors import ConfigError, OAuthError
from portico.oauth2.provider import OAuthTokens, ProviderUser

if TYPE_CHECKING:
    import httpx

TIMEOUT = 10.0
"""In seconds; from connecting to the last byte, each step."""
TRUE = (True, "true")
"""Some providers send booleans as text."""


@dataclass(frozen=True, kw_only=True)
class GenericOAuth:
    """A provider with a token endpoint and, perhaps, a user info endpoint."""

    id: str
    """Its name in rows and calls."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    """Sent in the body of token requests; empty for a public client."""

    token_url: str
    """Where tokens are refreshed. Redirects are not followed: they would carry the secret elsewhere."""

    user_info_url: str | None = None
    """Where the user's profile is, in the claims of OpenID Connect."""

    timeout: float = TIMEOUT
    """How long one step of a request may take, in seconds."""

    def __post_init__(self) -> None:
        # Not imported yet: who only reads sessions needs no client.
        if find_spec("httpx") is None:
            raise ConfigError("GenericOAuth needs httpx: pip install httpx")

    async def refresh(self, refresh_token: str) -> OAuthTokens:
        """Return new tokens for a refresh token. See RFC 6749 §6.

        Raises:
            OAuthError: the provider refuses or cannot be reached.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return _tokens(_read(await self._send("POST", self.token_url, data=form)))

    async def user_info(self, tokens: OAuthTokens) -> ProviderUser | None:
        """Return the profile of the user whose access token this is; None if the provider refuses the token.

        Raises:
            OAuthError: the provider cannot be reached, or answers what nobody can read.
        """
        if self.user_info_url is None:
            return None
        bearer = {"authorization": f"Bearer {tokens.access_token}"}
        response = await self._send("GET", self.user_info_url, headers=bearer)
        return _user(_read(response)) if response.is_success else None

    async def _send(self, method: str, url: str, **request: Any) -> "httpx.Response":
        import httpx  # noqa: PLC0415  # it takes long to import

        try:
            async with httpx.AsyncClient(timeout=self.timeout, headers={"accept": "application/json"}) as client:
                return await client.request(method, url, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The cause may hold the request, and with it the secret.
            raise OAuthError(f"{self.id} cannot be reached: {type(error).__name__}") from None


def _read(response: "httpx.Response") -> Mapping[str, Any]:
    try:
        content: object = response.json() if response.is_success else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise OAuthError(f"the provider answered {response.status_code} and no JSON object")
    return cast("Mapping[str, Any]", content)


def _tokens(content: Mapping[str, Any]) -> OAuthTokens:
    access_token = _text(content.get("access_token"))
    if access_token is None:
        raise OAuthError("the provider sent no access token")
    return OAuthTokens(
        access_token=access_token,
        refresh_token=_text(content.get("refresh_token")),
        id_token=_text(content.get("id_token")),
        expires_in=_seconds(content.get("expires_in")),
        refresh_token_expires_in=_seconds(content.get("refresh_token_expires_in")),
        scopes=(_text(content.get("scope")) or "").split(),
    )


def _user(content: Mapping[str, Any]) -> ProviderUser:
    email, image, name = (_text(content.get(claim)) for claim in ("email", "picture", "name"))
    is_verified = content.get("email_verified") in TRUE
    return ProviderUser(
        email=email,
        email_verified=is_verified,
        name=name,
        image=image,
        # Beside the claims stand our own names for them, as upstream has it.
        data={**content, "emailVerified": is_verified, **({} if image is None else {"image": image})},
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: object) -> float | None:
    """Return a lifetime, which some providers send as text."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < math.inf else None
