"""A service that relies on tokens: it knows the key set and what the standards say, and nothing of the product."""

import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from app import ORIGIN, content
from portico import Auth, Response
from portico.testing import Browser

ALGORITHMS = ["EdDSA", "ES256", "ES512", "PS256", "RS256"]
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that only the owner of a key may know. See RFC 7518 §6."""


async def key_set(auth: Auth[Any], path: str = "/jwks") -> list[dict[str, Any]]:
    """Return the published keys."""
    response = await Browser(auth, ORIGIN).get(path)
    assert response.status == 200, response.body
    keys: list[dict[str, Any]] = content(response)["keys"]
    assert all(not key.keys() & PRIVATE for key in keys)
    return keys


def proven(token: str, keys: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the claims if one of the keys signed them."""
    with warnings.catch_warnings():
        # EdDSA has a newer name, which upstream does not use.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            return dict(jwt.decode(token, KeySet.import_key_set({"keys": keys}), algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            return None


def header_of(token: str) -> Mapping[str, Any]:
    return jws.extract_compact(token.encode()).headers()


def token_in(response: Response) -> str:
    assert response.status == 200, response.body
    token: str = content(response)["token"]
    return token


def brought(response: Response) -> str | None:
    """Return the token that came with a session."""
    return dict(response.headers).get("set-auth-jwt")
