"""What an authorization server says of itself, and the tokens that it gives for a code. See RFC 8414 and RFC 6749."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portico_client_runtime.cli.errors import LoginError
from portico_client_runtime.replies import error_of, failure_of

NAME = "/.well-known/oauth-authorization-server"
METHOD = "S256"


class AuthorizationServer(BaseModel):
    """The part of its metadata that a login with a code needs. See RFC 8414 §2."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str = Field(pattern="^https?://")
    token_endpoint: str = Field(pattern="^https?://")
    code_challenge_methods_supported: Sequence[str] = ()
    authorization_response_iss_parameter_supported: bool = False
    """Whether an answer without `iss` is none of this server's. See RFC 9207 §2.4."""


class Tokens(BaseModel):
    """What a code is exchanged for. See RFC 6749 §5.1."""

    access_token: str
    token_type: str
    expires_in: int | None = None
    """In seconds."""
    refresh_token: str | None = None
    scope: str | None = None


def discovered(http: httpx.Client, issuer: str) -> AuthorizationServer | None:
    """Return what the server at a URL says of itself; None if it offers no login with a code and PKCE.

    Raises:
        LoginError: It speaks for another server.
        ConnectionFailed: It does not answer.
    """
    parts = urlsplit(issuer)
    inserted = urlunsplit(parts._replace(path=f"{NAME}{parts.path.rstrip('/')}"))
    # A server that is mounted below a path may answer under that path alone.
    for url in (inserted, f"{issuer.rstrip('/')}{NAME}"):
        said = _asked(http, httpx.Request("GET", url, headers={"accept": "application/json"}))
        if said.is_success:
            return _metadata(said, issuer)
    return None


def exchanged(http: httpx.Client, server: AuthorizationServer, form: Mapping[str, str]) -> Tokens:
    """Return the tokens that a grant is worth.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: It does not answer.
    """
    said = _asked(http, httpx.Request("POST", server.token_endpoint, data=dict(form)))
    if not said.is_success:
        raise error_of(said, frozenset())
    try:
        return Tokens.model_validate_json(said.content)
    except ValidationError:
        raise LoginError("the server's answer holds no token") from None


def _asked(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    try:
        return http.send(request, follow_redirects=False)
    except httpx.RequestError as error:
        raise failure_of(error) from error


def _metadata(said: httpx.Response, issuer: str) -> AuthorizationServer | None:
    try:
        found = AuthorizationServer.model_validate_json(said.content)
    except ValidationError:
        return None
    # See RFC 8414 §3.3: whoever could speak for others would get their codes.
    if found.issuer.rstrip("/") != issuer.rstrip("/"):
        raise LoginError(f"{issuer} says that it is {found.issuer}")
    return found if METHOD in found.code_challenge_methods_supported else None
