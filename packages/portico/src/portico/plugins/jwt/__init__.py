"""Tokens that services verify with public keys alone. See RFC 7519 and RFC 7517."""

from portico.plugins.jwt.declarations import (
    # Messages
    JsonWebKeySet,
    # Rows
    Jwk,
    # Options
    JwksAdapter,
    KeyRotation,
    Lifetime,
    NewJwk,
    OverrideOptions,
    PublicKey,
    SignJwt,
    Token,
    TokenRules,
    Unsigned,
    VerifiedJwt,
    VerifyJwt,
)
from portico.plugins.jwt.plugin import Jwt

__all__ = [
    # Plugin
    "Jwt",
    # Rows
    "Jwk",
    # Options
    "JwksAdapter",
    "KeyRotation",
    "Lifetime",
    "NewJwk",
    "Unsigned",
    # Messages
    "JsonWebKeySet",
    "OverrideOptions",
    "PublicKey",
    "SignJwt",
    "Token",
    "TokenRules",
    "VerifiedJwt",
    "VerifyJwt",
]
