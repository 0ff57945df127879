"""The plugin: tokens of sessions, and the keys by which everybody can verify them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar, cast

from portico.context import Context
from portico.cookie_cache import CookieCache
from portico.crypto.claims import Claims, are_current, is_array
from portico.crypto.jws import SMALLEST_MODULUS, take_apart, verifying_key
from portico.crypto.key_families import ALGORITHMS, Algorithm
from portico.endpoint import Endpoint, Plugin, endpoint
from portico.errors import ApiError, ConfigError
from portico.hooks import after, before
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.plugins.jwt.claims import completed_claims
from portico.plugins.jwt.declarations import (
    JsonWebKeySet,
    Jwk,
    JwksAdapter,
    KeyRotation,
    Lifetime,
    OverrideOptions,
    SignJwt,
    Token,
    TokenRules,
    Unsigned,
    VerifiedJwt,
    VerifyJwt,
)
from portico.plugins.jwt.keys import Keys
from portico.plugins.jwt.lifetime import ends_at
from portico.plugins.jwt.rotation import Rotation
from portico.plugins.jwt.session_copies import SessionCopies
from portico.wire import constructor

PATH = "/jwks"
GRACE_PERIOD = 30 * 24 * 60 * 60

_key_set = constructor(JsonWebKeySet)


@dataclass(frozen=True, kw_only=True, eq=False)
class Jwt(Plugin[UserT, SessionT]):
    """Tokens that say who is signed in, for services that have neither the database nor the secret.

    `/token` gives one to who has a session, `set-auth-jwt` brings one with every session, and `/jwks` has the public
    keys. A token is good until it ends, even if its session is revoked: keep `expiration_time` short.
    """

    id: ClassVar[str] = "jwt"
    tables = MappingProxyType({"jwks": Jwk})

    issuer: str | None = None
    """Who makes the tokens (`iss`); the origin of the base URL if None."""

    audience: str | Sequence[str] | None = None
    """Whom they are for (`aud`); the origin of the base URL if None."""

    # Quoted, so that what reads it says what is none: it knows how one is written.
    expiration_time: "Lifetime" = "15m"
    """How long a token is good for, or when it ends."""

    define_payload: (
        Callable[[SessionData[UserT, SessionT]], Mapping[str, Any] | Awaitable[Mapping[str, Any]]] | None
    ) = None
    """Returns the claims about a session; all that replies contain of the user if None. Anybody can read them."""

    get_subject: Callable[[SessionData[UserT, SessionT]], str | Awaitable[str]] | None = None
    """Returns whom a session's token is about (`sub`); the user's id if None."""

    algorithm: Algorithm | None = None
    """What new keys sign with; EdDSA if None. Another one gets a key of its own, and the old keys stay published."""

    modulus_length: int = SMALLEST_MODULUS
    """Of RSA keys, in bits; 2048 at least."""

    further_algorithms: Sequence[Algorithm] = ()
    """What `sign` may be asked for besides; each gets a key when that happens first."""

    rotation_interval: int | None = None
    """How long a key signs, in seconds; forever if None. The next one is published up to an hour before it signs."""

    grace_period: int = GRACE_PERIOD
    """How long a key is published after it signed last, in seconds; longer than any token of it is good for."""

    keep_previous_keys: int | None = None
    """Of the keys in their grace period, at most so many are published."""

    key_rotation: KeyRotation | None = None
    """Another way to say the last three."""

    disable_private_key_encryption: bool = False
    """Keep private keys in the clear: whoever reads the database can then sign in your name."""

    jwks_path: str = PATH
    """Where the public keys are, below the base path."""

    expose_jwks: bool = True
    """False: the public keys are not published here."""

    remote_url: str | None = None
    """Where the public keys are, if not here; `algorithm` must say what they are for."""

    signer: Callable[[Unsigned], str | Awaitable[str]] | None = None
    """Signs in place of a key of ours, with one in a key management service for instance, and returns the token. It
    sets `alg` and `kid`; `remote_url` must say where its public keys are."""

    disable_setting_jwt_header: bool = False
    """Send no `set-auth-jwt` with the session: to sign is most of the work of such a request."""

    session_cookie_cache: bool = False
    """Sign the cookie copies of sessions with a key pair in place of the secret, so that who knows `/jwks` can verify
    them. The cookie cache must have the strategy `jwt`."""

    adapter: JwksAdapter = field(default_factory=JwksAdapter)
    """Keeps the keys elsewhere than in the table `jwks`."""

    def setup(self, auth: Any) -> None:
        """Refuse options that cannot work together, and get ready to find keys."""
        self._check()
        keys = Keys(
            rows=auth.rows(Jwk),
            cabinet=auth.cabinet,
            adapter=self.adapter,
            rotation=self._rotation(),
            algorithm=self.algorithm or "EdDSA",
            modulus_length=self.modulus_length,
            is_encrypted=not self.disable_private_key_encryption,
        )
        object.__setattr__(self, "_keys", keys)
        if auth.is_stateless and self.adapter.get_jwks is None and self.signer is None:
            auth.logger.warning(
                "jwt: without a database each process signs with keys of its own, which are gone when it ends; "
                "keep them elsewhere with adapter="
            )
        if self.session_cookie_cache:
            self._sign_copies(auth, keys)

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the tokens, and the keys where they are published."""
        for declared in super().endpoints():
            if declared.name != "get_jwks":
                yield declared
            elif self.expose_jwks and self.remote_url is None:
                yield replace(declared, routes=tuple(replace(each, path=self.jwks_path) for each in declared.routes))

    def wants_hook(self, name: str) -> bool:
        """Leave out the header where it is not wanted, and copies that the secret signs."""
        wanted = {"send_token": not self.disable_setting_jwt_header, "prepare_copies": self.session_cookie_cache}
        return wanted[name]

    @endpoint("GET", PATH, operation_id="getJSONWebKeySet", idempotent=True)
    async def get_jwks(self, ctx: Context) -> JsonWebKeySet:
        """Return the public keys that verify tokens."""
        # As it is: validation would put the members of each key into another order.
        return _key_set({"keys": [self.keys.shown(key) for key in await self.keys.published(ctx)]})

    @endpoint("GET", "/token", operation_id="getJSONWebToken", session="required", idempotent=True)
    async def get_token(self, ctx: Context) -> Token:
        """Return a token of the caller's session."""
        return Token(token=await self.token_of(ctx, self.signed_in(ctx)))

    @endpoint("POST", "/sign-jwt", operation_id="signJWT", server_only=True)
    async def sign_jwt(self, ctx: Context, body: SignJwt) -> Token:
        """Return a token of any claims."""
        return Token(token=await self.sign(ctx, body.payload, rules=self._rules(body.override_options)))

    @endpoint("POST", "/verify-jwt", operation_id="verifyJWT", server_only=True)
    async def verify_jwt(self, ctx: Context, body: VerifyJwt) -> VerifiedJwt:
        """Return the claims of a token of ours for our audience."""
        return VerifiedJwt(payload=await self.verify(ctx, body.token, body.issuer))

    @before("*", first=True)
    async def prepare_copies(self, ctx: Context) -> None:
        """Know the keys before a session is read or started."""
        copies: SessionCopies | None = vars(self).get("_copies")
        if copies is not None and await copies.prepare(ctx) and self.auth.session_cache is not None:
            self.auth.session_cache.forget()

    @after("/get-session")
    async def send_token(self, ctx: Context, outcome: Any) -> Any:
        """Bring a token with the session, to who asks over HTTP: server code asks for one when it needs it."""
        is_told = outcome is not None and not isinstance(outcome, ApiError)
        if is_told and ctx.session is not None and ctx.route is not None:
            ctx.reply.expose("set-auth-jwt", await self.token_of(ctx, ctx.session))
        return outcome

    # For code of other plugins and of the application

    @property
    def keys(self) -> Keys:
        """The key pairs of this Auth."""
        keys: Keys = vars(self)["_keys"]
        return keys

    async def token_of(self, ctx: Context, session: SessionData[Any, Any]) -> str:
        """Return a token that says who is signed in."""
        said = session.user.to_wire() if self.define_payload is None else self.define_payload(session)
        claims = cast("Mapping[str, Any]", await said if isinstance(said, Awaitable) else said)
        named = None if self.get_subject is None else self.get_subject(session)
        subject = await named if isinstance(named, Awaitable) else named
        whole = {"iat": int(ctx.now().timestamp()), **(claims or {})}
        return await self.sign(ctx, {**whole, "sub": session.user.id if subject is None else subject})

    async def sign(
        self,
        ctx: Context,
        claims: Claims,
        *,
        header: Mapping[str, str] = MappingProxyType({}),
        algorithm: Algorithm | None = None,
        key_id: str | None = None,
        rules: TokenRules | None = None,
    ) -> str:
        """Return a token of any claims; `exp`, `iss` and `aud` are added where they are missing.

        `header` adds to `alg` and `kid`, as `{"typ": "logout+jwt"}` does. The algorithm is one of those in the options,
        and the key is the one whose turn it is, unless `key_id` names another.

        Raises:
            ConfigError: there is no such key, or no key for this algorithm, or the key cannot be decrypted.
            TypeError: a registered claim is of the wrong type.
        """
        completed = completed_claims(claims, rules or self._own_rules(), ctx.site.origin, int(ctx.now().timestamp()))
        if self.signer is not None:
            unsigned = Unsigned(claims=completed, header=header, key_id=key_id, algorithm=algorithm)
            signed = self.signer(unsigned)
            return await signed if isinstance(signed, Awaitable) else signed
        known = {self.keys.algorithm, *self.further_algorithms}
        if algorithm is not None and algorithm not in known:
            raise ConfigError(f"jwt: there is no key for {algorithm}; add it to further_algorithms")
        key = await self.keys.signing(ctx, algorithm or self.keys.algorithm, key_id)
        if algorithm is not None and key.algorithm != algorithm:
            raise ConfigError(f"jwt: the key {key_id!r} is for {key.algorithm}, not for {algorithm}")
        return key.sign(completed, header)

    async def verify(self, ctx: Context, token: str, issuer: str | None = None) -> dict[str, Any] | None:
        """Return the claims of a token that one of the published keys signed, for our audience and not yet over."""
        unproven = take_apart(token)
        found = await self.keys.find(ctx, unproven.key_id) if unproven else None
        key = verifying_key(self.keys.shown(found), unproven.algorithm) if unproven and found else None
        claims = unproven.proven_by(key) if unproven and key else None
        if claims is None or not are_current(claims, int(ctx.now().timestamp())):
            return None
        audience = self.audience or ctx.site.origin
        ours = {audience} if isinstance(audience, str) else set(audience)
        named = claims.get("aud")
        is_for_us = any(each in ours for each in (named if is_array(named) else [named]) if isinstance(each, str))
        is_from = claims.get("iss") == (issuer or self.issuer or ctx.site.origin)
        return claims if is_from and is_for_us and claims.get("sub") else None

    # Options

    def _sign_copies(self, auth: Any, keys: Keys) -> None:
        if auth.copies.strategy != "jwt":
            raise ConfigError('jwt: session_cookie_cache needs CookieCacheOptions(strategy="jwt")')
        if self.signer is not None:
            raise ConfigError("jwt: session_cookie_cache signs with keys of ours, not with signer")
        if auth.places is not None:
            raise ConfigError("jwt: session_cookie_cache needs one base URL, which its copies name")
        if auth.session_cache is not None:
            copies = SessionCopies(keys, auth.site.origin)
            object.__setattr__(self, "_copies", copies)
            auth.session_cache = CookieCache("jwt", auth.keyring, auth.copies.max_age, codec=copies)

    def _check(self) -> None:
        if not self.jwks_path.startswith("/") or ".." in self.jwks_path or len(self.jwks_path) == 1:
            raise ConfigError(
                f"jwt: jwks_path begins with a slash and has no dots that lead up, not {self.jwks_path!r}"
            )
        for each in (self.algorithm or "EdDSA", *self.further_algorithms):
            if each not in ALGORITHMS:
                raise ConfigError(f"jwt: there is no algorithm {each!r}; there are {', '.join(ALGORITHMS)}")
        if self.modulus_length < SMALLEST_MODULUS:
            raise ConfigError(f"jwt: modulus_length is {SMALLEST_MODULUS} at least, not {self.modulus_length}")
        if self.remote_url is not None and self.algorithm is None:
            raise ConfigError("jwt: with remote_url, algorithm= must say what the keys there are for")
        if self.signer is not None and self.remote_url is None:
            raise ConfigError("jwt: with signer, remote_url= must say where its public keys are")
        ends_at(self.expiration_time, 0)

    def _rotation(self) -> Rotation:
        said = self.key_rotation
        if said is None:
            return Rotation.of(self.rotation_interval, self.grace_period, self.keep_previous_keys)
        if (self.rotation_interval, self.grace_period, self.keep_previous_keys) != (None, GRACE_PERIOD, None):
            raise ConfigError("jwt: say how keys are replaced with key_rotation, or without it, not both ways")
        interval = said.rotation_interval if said.enabled else None
        return Rotation.of(interval, said.grace_period, said.keep_previous_keys)

    def _own_rules(self) -> TokenRules:
        audience = self.audience if self.audience is None or isinstance(self.audience, str) else list(self.audience)
        return TokenRules(issuer=self.issuer, audience=audience, expiration_time=self.expiration_time)

    def _rules(self, overrides: OverrideOptions | None) -> TokenRules:
        return self._own_rules() if overrides is None or overrides.jwt is None else overrides.jwt
