"""The key pairs of one Auth, in the table or wherever the application keeps them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread

from portico.context import Context
from portico.crypto.claims import is_object
from portico.crypto.jws import JsonWebKey, SigningKey, generate, public_members
from portico.crypto.key_families import ALGORITHMS, FAMILIES, Algorithm
from portico.crypto.random import random_letters
from portico.crypto.symmetric import Cabinet, DecryptionError
from portico.errors import ConfigError, NotUniqueError
from portico.plugins.jwt.declarations import Jwk, JwksAdapter, NewJwk
from portico.plugins.jwt.rotation import Rotation
from portico.store.adapter import Sort
from portico.store.rows import Rows

REMEMBERED = 16
"""Keys that need not be decrypted again."""
AGREED_FOR = 30
"""How long processes that need the same key make one and the same, in seconds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Keys:
    """Finds the key to sign with and the keys to publish, and makes a key when it is time."""

    rows: Rows[Jwk]
    cabinet: Cabinet
    adapter: JwksAdapter
    rotation: Rotation
    algorithm: Algorithm
    """Of tokens for which nobody asks another one, and of rows that do not say."""
    modulus_length: int
    is_encrypted: bool
    _opened: dict[str, tuple[str, SigningKey]] = field(default_factory=dict[str, tuple[str, SigningKey]])
    """Keys that were decrypted, by id, each with the text that it was made of."""

    async def signing(self, ctx: Context, algorithm: Algorithm, key_id: str | None = None) -> SigningKey:
        """Return the key to sign with: the one that was asked for, or the one whose turn it is."""
        keys = await self.every(ctx)
        if key_id is None:
            current, _ = await self._turns(ctx, keys, algorithm)
            return await self._open(current)
        named = next((key for key in keys if key.id == key_id), None)
        if named is None:
            raise ConfigError(f"jwt: there is no key {key_id!r} to sign with")
        return await self._open(named)

    async def published(self, ctx: Context) -> list[Jwk]:
        """Return the keys that everybody may have, among them the one that will sign next."""
        _, keys = await self._turns(ctx, await self.every(ctx), self.algorithm)
        return self.rotation.published(keys, ctx.now())

    async def in_use(self, ctx: Context) -> tuple[SigningKey, list[Jwk]]:
        """Return the key to sign with and the keys that everybody may have, of one look at them."""
        current, keys = await self._turns(ctx, await self.every(ctx), self.algorithm)
        return await self._open(current), self.rotation.published(keys, ctx.now())

    async def find(self, ctx: Context, key_id: str) -> Jwk | None:
        """Return a published key; makes none."""
        published = self.rotation.published(await self.every(ctx), ctx.now())
        return next((key for key in published if key.id == key_id), None)

    async def every(self, ctx: Context) -> Sequence[Jwk]:
        """Return the keys that are kept, oldest first."""
        if self.adapter.get_jwks is not None:
            return tuple(await self.adapter.get_jwks(ctx) or ())
        return (await self.rows.find_many(ctx, sort=Sort("created_at", "desc")))[::-1]

    def shown(self, key: Jwk) -> dict[str, Any]:
        """Return a key as its set shows it, with public members only."""
        public = public_members(_parsed(key.public_key))
        curve = {"crv": key.crv or public["crv"]} if key.crv or "crv" in public else {}
        return {"alg": key.alg or self.algorithm, **curve, **public, "kid": key.id}

    def algorithm_of(self, key: Jwk) -> Algorithm | None:
        """Return what a key signs with; None if it is nothing that we know."""
        named = key.alg or self.algorithm
        return next((each for each in ALGORITHMS if each == named), None)

    async def _turns(self, ctx: Context, keys: Sequence[Jwk], algorithm: Algorithm) -> tuple[Jwk, Sequence[Jwk]]:
        """Return the key whose turn it is and every key, with the next one when it is time to publish that."""
        own = [key for key in keys if self.algorithm_of(key) == algorithm]
        now = ctx.now()
        current = self.rotation.chosen(own, now)
        if current is not None and not self.rotation.is_due(current, own, now):
            return current, keys
        made = await self._make(ctx, algorithm, current or (own[-1] if own else None))
        return current or made, [*keys, made]

    async def _make(self, ctx: Context, algorithm: Algorithm, previous: Jwk | None) -> Jwk:
        """Make the key after `previous`; of many callers at once, one does, and all get that key."""
        if self.adapter.create_jwk is not None:
            return await self.adapter.create_jwk(await self._new(ctx, algorithm, previous), ctx)
        key_id = await self._agreed_id(ctx, algorithm, previous)
        made = await self.rows.find(ctx, id=key_id)
        if made is None:
            new = await self._new(ctx, algorithm, previous)
            try:
                made = await self.rows.create(ctx, id=key_id, **vars(new))
            except NotUniqueError:
                made = await self.rows.find(ctx, id=key_id)
        if made is None:
            raise ConfigError("jwt: a key was deleted while it was made")
        if previous is not None and previous.expires_at is None and self.adapter.get_jwks is None:
            # A key from before keys took turns: its tokens are verified for a while, too, and no longer.
            await self.rows.update(
                ctx, {"id": previous.id, "expires_at": None}, expires_at=ctx.now() + self.rotation.lead
            )
        return made

    async def _agreed_id(self, ctx: Context, algorithm: Algorithm, previous: Jwk | None) -> str:
        ids = self.rows.table.ids
        purpose = f"jwks-{algorithm}-{previous.id if previous else 'first'}"
        agreed = await ctx.auth.verifications.agree(ctx, purpose, ids.new("jwks") or random_letters(), AGREED_FOR)
        # Where the database makes ids, this one is made of what was agreed on.
        return agreed if ids.make is not None else ids.made_of(agreed)

    async def _new(self, ctx: Context, algorithm: Algorithm, previous: Jwk | None) -> NewJwk:
        pair = await anyio.to_thread.run_sync(generate, algorithm, self.modulus_length)
        private = _text(pair.private)
        now = ctx.now()
        return NewJwk(
            public_key=_text(pair.public),
            private_key=_text(self.cabinet.encrypt(private)) if self.is_encrypted else private,
            created_at=now,
            expires_at=self.rotation.end_after(previous, now),
            alg=algorithm,
            crv=FAMILIES[algorithm].curve,
        )

    async def _open(self, key: Jwk) -> SigningKey:
        known = self._opened.get(key.id)
        if known is not None and known[0] == key.private_key:
            return known[1]
        algorithm = self.algorithm_of(key)
        if algorithm is None:
            raise ConfigError(f"jwt: the key {key.id!r} is for {key.alg}, and there are {', '.join(ALGORITHMS)}")
        private = self._decrypted(key)
        try:
            opened = await anyio.to_thread.run_sync(SigningKey, key.id, algorithm, private)
        except ValueError as error:
            raise ConfigError(f"jwt: the private key of {key.id!r} cannot be used: {error}") from None
        if len(self._opened) >= REMEMBERED:
            self._opened.clear()
        self._opened[key.id] = (key.private_key, opened)
        return opened

    def _decrypted(self, key: Jwk) -> JsonWebKey:
        # Either form is read, so that encryption can be turned on and off again.
        try:
            stored = json.loads(key.private_key)
            private = json.loads(self.cabinet.decrypt(stored)) if isinstance(stored, str) else stored
        except (ValueError, DecryptionError):
            private = None
        if is_object(private):
            return private
        raise ConfigError(
            f"jwt: the private key of {key.id!r} was encrypted with another secret: list that one in secrets=, "
            "or delete the row, and every token that it signed is worthless"
        )


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _parsed(text: str) -> JsonWebKey:
    parsed: Any = json.loads(text)
    if not is_object(parsed):
        raise ConfigError("jwt: a public key in the table is no JSON object")
    return parsed
