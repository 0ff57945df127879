"""Authentication by the short-lived tokens of the `jwt` plugin."""

import base64
import binascii
import json
from http import HTTPStatus
from time import time

import httpx

from portico_client_runtime.authentication import Authentication, CookieAuth
from portico_client_runtime.cookies import changes_session
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation

MINT_PATH = "/token"
SESSION_TOKEN_HEADER = "set-auth-jwt"  # noqa: S105  # the header's name
LEEWAY = 10.0
"""Seconds. A token that ends sooner is minted anew, because the request takes time and clocks differ."""


class JWTAuth(Authentication):
    """A JWT in `Authorization`, minted at `GET /token` with another authentication and minted again when it ends.

    It is for endpoints that verify JWTs. Cookies of the inner authentication are sent, too, so that with `CookieAuth`,
    the default, the authentication server's own endpoints work through the same client.
    """

    def __init__(self, inner: Authentication | None = None) -> None:
        self._inner = CookieAuth() if inner is None else inner
        self._token: str | None = None
        self._ends = 0.0

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add the token; before anybody has signed in, what the inner authentication has."""
        given = len(request.headers)
        if "authorization" in request.headers:
            return
        yield from self._inner.apply(request, site)
        if len(request.headers) == given:
            # Nobody to mint a token for.
            return
        if self._token is None or self._ends - LEEWAY <= time():
            yield from self._mint(site)
        if self._token is not None:
            request.headers["authorization"] = f"Bearer {self._token}"

    def keep(self, response: httpx.Response, site: Site) -> Conversation[None]:
        """Let the inner authentication learn, and take the token that a session's reply brings along."""
        yield from self._inner.keep(response, site)
        minted = response.headers.get(SESSION_TOKEN_HEADER)
        if minted:
            self._take(minted)
        elif changes_session(response):
            # The token speaks for the session before.
            self._token = None

    def converse(self, request: httpx.Request, site: Site) -> Conversation[httpx.Response]:
        """Send a request; one that is refused for its token is sent again with a new one."""
        is_callers = "authorization" in request.headers
        yield from self.apply(request, site)
        response: httpx.Response = yield request
        used = self._token
        if response.status_code == HTTPStatus.UNAUTHORIZED and used is not None and not is_callers:
            self._token = None
            yield from self._mint(site)
            if self._token is not None:
                request.headers["authorization"] = f"Bearer {self._token}"
                response = yield request
        yield from self.keep(response, site)
        return response

    def _mint(self, site: Site) -> Conversation[None]:
        self._token = None
        response = yield from self._inner.converse(site.request("GET", MINT_PATH), site)
        if response.is_success:
            try:
                minted = response.json()["token"]
            except (ValueError, KeyError, TypeError):
                return
            if isinstance(minted, str):
                self._take(minted)

    def _take(self, token: str) -> None:
        self._token, self._ends = token, expiry(token)


def expiry(token: str) -> float:
    """Return the unix time at which a JWT ends; without that claim, never. The signature is not looked at."""
    try:
        encoded = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        return float(claims["exp"])
    except (IndexError, binascii.Error, ValueError, KeyError, TypeError):
        return float("inf")
