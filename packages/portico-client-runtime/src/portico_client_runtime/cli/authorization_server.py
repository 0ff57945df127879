"""What an authorization server says of itself, and the endpoints that a tool asks there.

See RFC 8414, RFC 6749 §4.1.3 and §6, RFC 7009, and OpenID Connect Core §5.3.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portico_client_runtime import BaseClient
from portico_client_runtime.cli.errors import LoginError
from portico_client_runtime.replies import error_of, object_of
from portico_client_runtime.site import root_of

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
METHOD = "S256"
GRANT_TYPE = "authorization_code"
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST = 100 * 365 * 86_400
"""Seconds that a token may live."""
TROUBLED = frozenset({429, *range(500, 600)})
"""Statuses that say nothing about what a server offers."""

# See RFC 7009 §2.2.1. The other one is upstream's for a token that it does not know, where §2.2 wants a success: it
# forgets an access token together with its refresh token.
ENDED = frozenset({"unsupported_token_type", "invalid_request"})

ENDPOINT = "^https?://[^#]+$"
HEADER_TEXT = "^[\\x21-\\x7e]+$"

Hint = Literal["refresh_token", "access_token"]


class AuthorizationServer(BaseModel):
    """The part of its metadata that a login with a code needs. See RFC 8414 §2 and OpenID Connect Discovery §3."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str = Field(pattern=ENDPOINT)
    token_endpoint: str = Field(pattern=ENDPOINT)
    userinfo_endpoint: str = Field(pattern=ENDPOINT)
    revocation_endpoint: str | None = Field(default=None, pattern=ENDPOINT)
    grant_types_supported: Sequence[str] = (GRANT_TYPE, "implicit")
    code_challenge_methods_supported: Sequence[str] = ()
    authorization_response_iss_parameter_supported: bool = False
    """Whether an answer without `iss` is none of this server's. See RFC 9207 §2.4."""

    @property
    def endpoints(self) -> Sequence[str]:
        """Whatever is told a secret."""
        found = (self.authorization_endpoint, self.token_endpoint, self.userinfo_endpoint, self.revocation_endpoint)
        return [endpoint for endpoint in found if endpoint is not None]


class Tokens(BaseModel):
    """What a code or a refresh token is exchanged for. See RFC 6749 §5.1."""

    access_token: str = Field(pattern=HEADER_TEXT, repr=False)
    token_type: str = Field(pattern="^(?i:bearer)$")
    expires_in: int | None = Field(default=None, ge=0, le=LONGEST)
    """In seconds."""
    refresh_token: str | None = Field(default=None, pattern=HEADER_TEXT, repr=False)


def discovered(client: BaseClient[Any]) -> AuthorizationServer | None:
    """Return what a client's server says of itself; None if it offers no login with a code, PKCE and userinfo.

    Raises:
        LoginError: It speaks for another server, or would have its tokens sent to one.
        ApiError: It cannot say.
        ConnectionFailed: It does not answer.
    """
    issuer = client.base_url
    asked = httpx.URL(issuer)
    # See RFC 8414 §2: nobody reads along.
    if asked.scheme != "https" and asked.host not in THIS_MACHINE:
        return None
    said: dict[str, Any] = {}
    for url in _places(issuer):
        said = {**_said(client, url), **said}
        if "userinfo_endpoint" in said:
            break
    try:
        server = AuthorizationServer.model_validate(said)
    except ValidationError:
        return None
    for endpoint in server.endpoints:
        if root_of(endpoint) != root_of(issuer):
            raise LoginError(f"{issuer} would have its secrets sent to another server: {endpoint}")
    is_usable = METHOD in server.code_challenge_methods_supported and GRANT_TYPE in server.grant_types_supported
    return server if is_usable else None


def offered(client: BaseClient[Any]) -> AuthorizationServer:
    """Return what a client's server says of itself, for tokens that it gave before.

    Raises:
        LoginError: It is no such server any more, or not the one that it was asked for.
        ApiError: It cannot say.
        ConnectionFailed: It does not answer.
    """
    server = discovered(client)
    if server is None:
        raise LoginError(f"{client.base_url} does not say any more where its tokens are renewed")
    return server


def exchanged(client: BaseClient[Any], server: AuthorizationServer, form: Mapping[str, str]) -> Tokens:
    """Return the tokens that a code or a refresh token is worth.

    Raises:
        LoginError: The answer is none.
        ApiError: The server refused.
        ConnectionFailed: It does not answer.
    """
    answer = client.fetch("POST", server.token_endpoint, form=form)
    if not answer.is_success:
        raise error_of(answer, frozenset())
    try:
        return Tokens.model_validate_json(answer.content)
    except ValidationError:
        raise LoginError("the server's answer holds no token that this tool can use") from None


def claims_of(client: BaseClient[Any], server: AuthorizationServer) -> dict[str, Any] | None:
    """Return what the server says of the user whose token the client has; None if it does not accept the token.

    Raises:
        LoginError: The answer names nobody.
        ApiError: The server refused.
        ConnectionFailed: It does not answer.
    """
    answer = client.fetch("GET", server.userinfo_endpoint)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return None
    if not answer.is_success:
        raise error_of(answer, frozenset())
    claims = object_of(answer)
    if claims is None or not isinstance(claims.get("sub"), str):
        raise LoginError("the server's answer does not say who is signed in")
    return claims


def revoke(client: BaseClient[Any], server: AuthorizationServer, *, client_id: str, token: str, hint: Hint) -> None:
    """End a token. An access token that the server cannot call back, or knows no more, ends by itself.

    Raises:
        LoginError: The server ends no tokens.
        ApiError: It refused.
        ConnectionFailed: It does not answer.
    """
    if server.revocation_endpoint is None:
        raise LoginError("it ends no tokens before their time")
    form = {"token": token, "token_type_hint": hint, "client_id": client_id}
    answer = client.fetch("POST", server.revocation_endpoint, form=form)
    if answer.is_success:
        return
    refusal = error_of(answer, frozenset())
    if hint != "access_token" or refusal.raw_code not in ENDED:
        raise refusal


def _places(issuer: str) -> Sequence[str]:
    """Return where a server may say what it is, the first one that counts first. See RFC 8414 §3.1 and §5."""
    parts, base = urlsplit(issuer), issuer.rstrip("/")
    inserted = urlunsplit(parts._replace(path=f"{OAUTH}{parts.path.rstrip('/')}"))
    # A server that is mounted below a path may answer under that path alone.
    return (inserted, f"{base}{OAUTH}", f"{base}{OPENID}")


def _said(client: BaseClient[Any], url: str) -> Mapping[str, Any]:
    answer = client.fetch("GET", url)
    if answer.status_code in TROUBLED:
        raise error_of(answer, frozenset())
    found = object_of(answer) if answer.is_success else None
    if found is None or "issuer" not in found:
        return {}
    # See RFC 8414 §3.3: whoever could speak for others would get their codes.
    if str(found["issuer"]).rstrip("/") != client.base_url.rstrip("/"):
        raise LoginError(f"{client.base_url} says that it is {found['issuer']}")
    return found
