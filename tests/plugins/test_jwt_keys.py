"""The keys of tokens: how they are kept, published, replaced and made once."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import anyio
import pytest

from app import BASICS, ORIGIN, SECRET, Api, User, plain, signed_up
from plugins.relying import ALGORITHMS, header_of, key_set, proven, token_in
from portico import AdvancedOptions, Auth, ConfigError, Context, DatabaseOptions
from portico.crypto import base64url
from portico.crypto.keyring import Keyring
from portico.crypto.symmetric import Cabinet
from portico.plugins.jwt import Jwk, JwksAdapter, Jwt, KeyRotation, NewJwk, SignJwt, VerifyJwt
from portico.testing import Browser, Clock
from requirements import requirement
from upstream import CRYPTO

pytestmark = pytest.mark.anyio

SAMPLE: dict[str, Any] = CRYPTO["jwks_row"]
INTERVAL = 10_000
LEAD = INTERVAL // 4
GRACE = 1_000
OTHER = "another-secret-0123456789-abcdefghijklmnop"


class TokenApi(Api):
    jwt = Jwt[User](define_payload=lambda session: {"nickname": session.user.nickname})


class Issuer:
    """An Auth with the plugin, and its clock."""

    def __init__(self, plugin: Jwt[Any, Any] | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.auth: Auth[Any] = plain(plugin or Jwt(), **{"clock": self.clock, **options})

    async def rows(self) -> list[Jwk]:
        return sorted(await self.auth.rows(Jwk).find_many(self.ctx), key=lambda row: row.created_at)

    @property
    def ctx(self) -> Context:
        return self.auth.context(None)

    async def token(self) -> str:
        return str((await self.auth.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "ann", "exp": 4e9}))).token)

    async def signs_with(self) -> str:
        return str(header_of(await self.token())["kid"])

    async def publishes(self) -> list[str]:
        return [str(key["kid"]) for key in await key_set(self.auth)]

    async def verifies(self, token: str) -> bool:
        return (await self.auth.api.jwt.verify_jwt(None, VerifyJwt(token=token))).payload is not None

    async def insert(self, **values: Any) -> Jwk:
        return await self.auth.rows(Jwk).create(self.ctx, **values)

    async def expire(self, **where: Any) -> None:
        await self.auth.rows(Jwk).update(self.ctx, where, expires_at=self.clock())


def rotating(**options: Any) -> Issuer:
    given: dict[str, Any] = {"rotation_interval": INTERVAL, "grace_period": GRACE, **options}
    return Issuer(Jwt(**given))


def sample(**changes: Any) -> dict[str, Any]:
    """Return the row that upstream wrote."""
    row = SAMPLE["row"]
    return {
        "id": row["id"],
        "public_key": row["publicKey"],
        "private_key": row["privateKey"],
        "created_at": datetime.fromisoformat(row["createdAt"]),
        "alg": row["alg"],
        "crv": row["crv"],
        **changes,
    }


# How they are kept


@requirement("B-100", "ARCH-formats")
async def test_a_key_that_upstream_made_signs_and_is_published_here() -> None:
    issuer = Issuer()
    await issuer.insert(**sample())
    assert await key_set(issuer.auth) == SAMPLE["jwks"]["keys"]
    assert list((await key_set(issuer.auth))[0]) == list(SAMPLE["jwks"]["keys"][0])
    key = await Jwt.of(issuer.auth).keys.signing(issuer.ctx, "EdDSA")
    assert key.sign(SAMPLE["claims"]) == SAMPLE["token"]
    assert len(await issuer.rows()) == 1


@requirement("B-100", "J01")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_key_is_kept_as_upstream_keeps_it(algorithm: Any) -> None:
    issuer = Issuer(Jwt(algorithm=algorithm))
    token = await issuer.token()
    (row,) = await issuer.rows()
    sealed = json.loads(row.private_key)
    private = json.loads(Cabinet(Keyring(SECRET)).decrypt(sealed))
    public = json.loads(row.public_key)
    assert row.private_key == f'"{sealed}"'
    assert public == {name: private[name] for name in public}
    assert row.public_key == json.dumps(public, separators=(",", ":"))
    assert (row.alg, row.crv, row.expires_at) == (algorithm, public.get("crv"), None)
    assert await issuer.auth.store.count(issuer.auth.tables["jwks"]) == 1
    assert (row.created_at, row.id) == (issuer.clock().replace(microsecond=678_000), header_of(token)["kid"])
    assert list(await key_set(issuer.auth)) == [{"alg": algorithm, **public, "kid": row.id}]
    assert proven(token, await key_set(issuer.auth)) is not None


@requirement("B-100", "S-200")
async def test_private_keys_can_be_kept_in_the_clear_and_either_form_is_read() -> None:
    issuer = Issuer(Jwt(disable_private_key_encryption=True))
    first = await issuer.signs_with()
    (row,) = await issuer.rows()
    assert json.loads(row.private_key)["d"]
    sealing = Issuer(Jwt(), database=issuer.auth.store)
    assert await sealing.signs_with() == first
    clear = Issuer(Jwt(disable_private_key_encryption=True))
    await clear.insert(**sample())
    assert await clear.signs_with() == SAMPLE["row"]["id"]


@requirement("B-59", "J02")
async def test_keys_outlive_a_rotated_secret_and_no_other() -> None:
    issuer = Issuer()
    first = await issuer.signs_with()
    rotated = Issuer(database=issuer.auth.store, secrets=[(1, OTHER)])
    assert await rotated.signs_with() == first
    lost = Issuer(database=issuer.auth.store, secret=OTHER)
    with pytest.raises(ConfigError, match="another secret"):
        await lost.token()
    assert len(await issuer.rows()) == 1
    assert await lost.publishes() == [first]


@requirement("J01", "F08")
@pytest.mark.parametrize("private", ["", "x", "1", '"00"', "[]", '{"kty":"OKP"}', '{"kty":"EC","crv":"P-256"}'])
async def test_a_private_key_that_is_none_signs_nothing_and_is_not_replaced(private: str) -> None:
    issuer = Issuer()
    await issuer.insert(**sample(private_key=private))
    browser = await signed_up(issuer.auth)
    assert (await browser.get("/token")).status == 500
    assert [row.id for row in await issuer.rows()] == [SAMPLE["row"]["id"]]


@requirement("J01", "S-122")
async def test_a_set_shows_public_members_whatever_the_row_holds() -> None:
    issuer = Issuer()
    await issuer.insert(**sample(public_key=json.dumps(SAMPLE["privateKeyDecrypted"])))
    assert await key_set(issuer.auth) == SAMPLE["jwks"]["keys"]


@requirement("B-100")
async def test_a_row_of_an_older_version_has_the_algorithm_of_the_options() -> None:
    issuer = Issuer()
    await issuer.insert(**sample(alg=None, crv=None))
    assert await key_set(issuer.auth) == SAMPLE["jwks"]["keys"]
    assert list((await key_set(issuer.auth))[0]) == list(SAMPLE["jwks"]["keys"][0])
    token = await issuer.token()
    assert header_of(token) == SAMPLE["header"]
    assert await issuer.verifies(token)


@requirement("J01", "S-122")
async def test_a_key_of_an_algorithm_that_we_do_not_know_is_published_and_never_signs() -> None:
    issuer = Issuer()
    await issuer.insert(**sample(alg="ES384"))
    assert await issuer.publishes() == [row.id for row in await issuer.rows()]
    with pytest.raises(ConfigError, match="ES384"):
        await Jwt.of(issuer.auth).sign(issuer.ctx, {"sub": "x"}, key_id=SAMPLE["row"]["id"])


# Which one signs


@requirement("S-200", "B-100")
async def test_the_newest_key_signs() -> None:
    issuer = Issuer()
    await issuer.token()
    older = await issuer.insert(**sample())
    assert await issuer.signs_with() != older.id
    issuer.clock.advance(10)
    newer = await issuer.insert(**sample(id="newer", created_at=issuer.clock()))
    assert await issuer.signs_with() == newer.id
    await issuer.expire(id=newer.id)
    assert await issuer.signs_with() not in {older.id, newer.id}
    assert set(await issuer.publishes()) == {row.id for row in await issuer.rows()}


@requirement("S-200")
async def test_another_algorithm_gets_a_key_of_its_own_and_the_old_one_stays_published() -> None:
    issuer = Issuer()
    token = await issuer.token()
    changed = Issuer(Jwt(algorithm="ES256"), database=issuer.auth.store)
    assert [key["alg"] for key in await key_set(changed.auth)] == ["EdDSA", "ES256"]
    assert header_of(await changed.token())["alg"] == "ES256"
    assert await changed.verifies(token)


@requirement("S-200")
async def test_code_asks_for_an_algorithm_or_a_key() -> None:
    issuer = Issuer(Jwt(further_algorithms=["ES256"]))
    plugin = Jwt.of(issuer.auth)
    first = header_of(await plugin.sign(issuer.ctx, {"sub": "x"}))
    second = header_of(await plugin.sign(issuer.ctx, {"sub": "x"}, algorithm="ES256"))
    assert [first["alg"], second["alg"]] == ["EdDSA", "ES256"]
    assert header_of(await plugin.sign(issuer.ctx, {"sub": "x"}, algorithm="ES256")) == second
    assert header_of(await plugin.sign(issuer.ctx, {"sub": "x"})) == first
    assert header_of(await plugin.sign(issuer.ctx, {"sub": "x"}, key_id=second["kid"])) == second
    for wrong in ({"algorithm": "RS256"}, {"key_id": "unknown"}, {"key_id": first["kid"], "algorithm": "ES256"}):
        with pytest.raises(ConfigError):
            await plugin.sign(issuer.ctx, {"sub": "x"}, **cast("Any", wrong))
    assert len(await issuer.rows()) == 2


# How they are replaced


@requirement("S-200", "J01")
async def test_the_next_key_is_published_before_it_signs() -> None:
    issuer = rotating()
    token = await issuer.token()
    (first,) = await issuer.rows()
    assert first.expires_at is not None
    assert (first.expires_at - first.created_at).total_seconds() == INTERVAL
    issuer.clock.advance(INTERVAL - LEAD - 1)
    assert await issuer.publishes() == [first.id]
    issuer.clock.advance(1)
    published = await issuer.publishes()
    assert published == [row.id for row in await issuer.rows()]
    _, second = published
    for _ in range(2):
        assert await issuer.signs_with() == first.id
        issuer.clock.advance(LEAD - 1 if _ == 0 else 0)
    issuer.clock.advance(1)
    assert await issuer.signs_with() == second
    assert await issuer.publishes() == [first.id, second]
    assert await issuer.verifies(token)
    last = (await issuer.rows())[-1]
    assert last.expires_at is not None
    assert (last.expires_at - first.expires_at).total_seconds() == INTERVAL


@requirement("S-200", "J01")
async def test_who_signs_publishes_the_next_key_too() -> None:
    issuer = rotating()
    first = await issuer.signs_with()
    issuer.clock.advance(INTERVAL - LEAD)
    assert await issuer.signs_with() == first
    assert len(await issuer.rows()) == 2
    assert await issuer.signs_with() == first
    assert len(await issuer.rows()) == 2


@requirement("S-200", "J01")
async def test_old_tokens_verify_for_a_while_and_no_longer() -> None:
    issuer = rotating()
    token, first = await issuer.token(), await issuer.signs_with()
    issuer.clock.advance(INTERVAL)
    second = await issuer.signs_with()
    assert second != first
    issuer.clock.advance(GRACE - 1)
    assert await issuer.publishes() == [first, second]
    assert await issuer.verifies(token)
    issuer.clock.advance(1)
    assert await issuer.publishes() == [second]
    assert not await issuer.verifies(token)
    assert len(await issuer.rows()) == 2


@requirement("S-200")
async def test_old_tokens_verify_for_a_month_unless_the_options_say_otherwise() -> None:
    issuer = Issuer(Jwt(rotation_interval=INTERVAL))
    first = await issuer.signs_with()
    issuer.clock.advance(INTERVAL)
    assert await issuer.signs_with() != first
    issuer.clock.advance(30 * 24 * 60 * 60 - 1)
    assert first in await issuer.publishes()
    issuer.clock.advance(1)
    assert first not in await issuer.publishes()


@requirement("S-200")
async def test_a_server_that_slept_for_long_starts_with_a_new_key() -> None:
    issuer = rotating()
    first = await issuer.signs_with()
    issuer.clock.advance(INTERVAL + GRACE)
    (second,) = await issuer.publishes()
    assert second != first
    assert await issuer.signs_with() == second
    last = (await issuer.rows())[-1]
    assert last.expires_at is not None
    assert (last.expires_at - last.created_at).total_seconds() == INTERVAL


@requirement("S-200", "J01")
async def test_a_key_that_is_over_is_not_taken_for_the_one_that_is_being_made() -> None:
    issuer = rotating(rotation_interval=8)
    first = await issuer.signs_with()
    issuer.clock.advance(10)
    assert await issuer.signs_with() != first
    assert len(await issuer.rows()) == 2


@requirement("S-200")
async def test_keys_of_rsa_are_as_long_as_the_option_says() -> None:
    issuer = Issuer(Jwt(algorithm="RS256", modulus_length=3072))
    (key,) = await key_set(issuer.auth)
    assert len(base64url.decode(key["n"])) * 8 == 3072


@requirement("S-200")
async def test_of_the_previous_keys_so_many_are_published() -> None:
    issuer = rotating(grace_period=10 * INTERVAL, keep_previous_keys=2)
    signed: list[str] = []
    for _ in range(4):
        signed.append(await issuer.token())
        issuer.clock.advance(INTERVAL)
    current = await issuer.signs_with()
    kids = [header_of(token)["kid"] for token in signed]
    assert await issuer.publishes() == [*kids[-2:], current]
    assert [await issuer.verifies(token) for token in signed] == [False, False, True, True]


@requirement("S-200")
async def test_as_many_previous_keys_as_there_may_be_are_all_published() -> None:
    issuer = rotating(keep_previous_keys=1)
    token = await issuer.token()
    issuer.clock.advance(INTERVAL)
    assert await issuer.publishes() == [header_of(token)["kid"], await issuer.signs_with()]
    assert await issuer.verifies(token)


@requirement("S-200")
@pytest.mark.parametrize("options", [{"keep_previous_keys": 0}, {"grace_period": 0}])
async def test_no_previous_key_need_be_published(options: dict[str, int]) -> None:
    issuer = rotating(**options)
    token = await issuer.token()
    issuer.clock.advance(INTERVAL)
    assert await issuer.publishes() == [await issuer.signs_with()]
    assert not await issuer.verifies(token)


@requirement("S-200", "J01")
async def test_a_key_from_before_keys_took_turns_is_replaced_as_well() -> None:
    forever = Issuer()
    token, first = await forever.token(), await forever.signs_with()
    forever.clock.advance(100 * INTERVAL)
    issuer = Issuer(
        Jwt(rotation_interval=INTERVAL, grace_period=GRACE), database=forever.auth.store, clock=forever.clock
    )
    assert await issuer.signs_with() == first
    assert len(await issuer.publishes()) == 2
    forever.clock.advance(LEAD)
    second = await issuer.signs_with()
    assert second != first
    assert await issuer.verifies(token)
    forever.clock.advance(GRACE)
    assert await issuer.publishes() == [second]


@requirement("S-200")
async def test_rotation_has_another_spelling() -> None:
    said = KeyRotation(rotation_interval=INTERVAL, grace_period=GRACE, keep_previous_keys=1)
    issuer = Issuer(Jwt(key_rotation=said))
    await issuer.token()
    (row,) = await issuer.rows()
    assert row.expires_at is not None
    assert (row.expires_at - row.created_at).total_seconds() == INTERVAL
    off = Issuer(Jwt(key_rotation=KeyRotation(enabled=False)))
    await off.token()
    assert [row.expires_at for row in await off.rows()] == [None]
    with pytest.raises(ConfigError, match="key_rotation"):
        plain(Jwt(key_rotation=said, rotation_interval=INTERVAL))


@requirement("S-200")
async def test_a_key_set_without_rotation_stays_as_it_is() -> None:
    issuer = Issuer(Jwt(rotation_interval=0))
    first = await issuer.publishes()
    issuer.clock.advance(10**9)
    assert await issuer.publishes() == first
    assert [row.expires_at for row in await issuer.rows()] == [None]


# How they are made once


@requirement("J01")
@pytest.mark.parametrize("ids", [None, "uuid", "serial", "database"])
async def test_many_first_calls_make_one_key(ids: Any) -> None:
    issuer = Issuer(advanced=AdvancedOptions(database=DatabaseOptions(generate_id=ids)), database="sqlite://")
    await issuer.auth.create_schema()
    used: list[str] = []

    async def sign() -> None:
        used.append(await issuer.signs_with())

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(sign)
            group.start_soon(issuer.publishes)
    (row,) = await issuer.rows()
    assert used == [row.id] * 8
    issuer.clock.advance(60)
    assert await issuer.signs_with() == row.id
    await issuer.auth.close()


@requirement("J01")
async def test_many_calls_make_one_next_key() -> None:
    issuer = rotating()
    await issuer.token()
    issuer.clock.advance(INTERVAL - LEAD)
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(issuer.token)
    assert len(await issuer.rows()) == 2


# Elsewhere


@requirement("S-200", "B-100")
async def test_keys_can_be_kept_elsewhere() -> None:
    kept: list[Jwk] = []
    given: list[NewJwk] = []

    async def get_jwks(ctx: Context) -> Sequence[Jwk] | None:
        assert ctx.auth is issuer.auth
        return kept or None

    async def create_jwk(new: NewJwk, ctx: Context) -> Jwk:
        assert ctx.auth is issuer.auth
        given.append(new)
        kept.append(Jwk(id=f"k{len(kept)}", **vars(new)))
        return kept[-1]

    issuer = Issuer(Jwt(adapter=JwksAdapter(get_jwks=get_jwks, create_jwk=create_jwk), rotation_interval=INTERVAL))
    token = await issuer.token()
    assert header_of(token)["kid"] == "k0"
    assert await issuer.verifies(token)
    assert await issuer.publishes() == ["k0"]
    issuer.clock.advance(INTERVAL - LEAD)
    assert await issuer.publishes() == ["k0", "k1"]
    assert await issuer.rows() == []
    assert (given[0].alg, given[0].crv, given[0].created_at) == ("EdDSA", "Ed25519", kept[0].created_at)
    assert "d" not in json.loads(given[0].public_key)


@requirement("S-200", "J01")
def test_keys_that_no_other_process_would_know_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    async def get_jwks(ctx: Context) -> Sequence[Jwk] | None:
        return None

    plain(Jwt(), database=None)
    assert [record.message.partition(":")[0] for record in caplog.records] == ["jwt"]
    caplog.clear()
    plain(Jwt())
    plain(Jwt(adapter=JwksAdapter(get_jwks=get_jwks)), database=None)
    assert [record for record in caplog.records if record.message.startswith("jwt")] == []


@requirement("S-122", "S-126")
async def test_server_code_gets_the_keys() -> None:
    issuer = Issuer()
    reply = await issuer.auth.api.jwt.get_jwks(None)
    assert reply.to_wire() == {"keys": await key_set(issuer.auth)}


@requirement("S-121", "ARCH-declaration")
async def test_a_user_in_a_declared_api_gets_tokens_too() -> None:
    auth = Auth(api=TokenApi, clock=Clock(), **BASICS)
    browser = await signed_up(auth, nickname="Annie")
    claims = proven(token_in(await browser.get("/token")), await key_set(auth))
    assert claims is not None
    assert claims["nickname"] == "Annie"
    assert (await Browser(auth, ORIGIN).get("/token")).status == 401
