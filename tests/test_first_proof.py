"""Somebody signs up with a victim's address, and waits. One probe for each class of pre-hijacking."""

from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import pytest

from app import BASICS, ORIGIN, Api, content, make, plain, signed_up
from endpoints.test_account import linked
from plugins.second_step import challenged, enrolled, turned_on
from portico import Auth, Context, MemorySecondaryStorage, Plugin, SessionOptions, User, VerificationOptions
from portico.first_proof import prove_mailbox
from portico.testing import Browser, Clock
from postbox import Postbox, follow
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("E08")]

VICTIM = "ann@example.com"
PASSWORD = {"email": VICTIM, "password": "password123"}
PLACES = ("database", "secondary", "both")


def kept(place: str, clock: Clock | None = None) -> dict[str, Any]:
    """Return options that keep sessions and verifications there."""
    if place == "database":
        return {}
    return {
        "secondary_storage": MemorySecondaryStorage(clock),
        "session": SessionOptions(store_session_in_database=place == "both"),
        "verification": VerificationOptions(store_in_database=place == "both"),
    }


async def user_of(auth: Auth[Any], email: str = VICTIM) -> Any:
    return await auth.users.find_by_email(auth.context(None), email)


async def proven(auth: Auth[Any], email: str = VICTIM) -> Any:
    """Do what a flow does in which the owner of the mailbox enters by it alone."""
    return await prove_mailbox(auth.context(None), auth.users, await user_of(auth, email))


async def counts(auth: Auth[Any], *tables: str) -> list[int]:
    return [await auth.store.count(auth.tables[name]) for name in tables]


async def reset(auth: Auth[Any], postbox: Postbox, clock: Clock, password: str = "new password") -> None:
    """Let the owner of the mailbox take the account by a mailed link."""
    clock.advance(1)
    owner = Browser(auth, ORIGIN)
    await owner.post("/request-password-reset", {"email": VICTIM})
    response = await owner.post("/reset-password", {"newPassword": password, "token": postbox.last.token})
    assert (response.status, content(response)) == (200, {"status": True})


@requirement("E09")
async def test_classic_merge_the_password_of_who_came_first_opens_nothing() -> None:
    clock = Clock()
    auth = make(clock)
    await signed_up(auth)
    before = await user_of(auth)
    clock.advance(1)
    owner = await proven(auth)
    assert (owner.id, owner.email_verified, owner.updated_at > before.updated_at) == (before.id, True, True)
    refused = await Browser(auth, ORIGIN).post("/sign-in/email", PASSWORD)
    assert content(refused)["code"] == "INVALID_EMAIL_OR_PASSWORD"
    assert await counts(auth, "user", "account", "session") == [1, 0, 0]


@requirement("E09")
@pytest.mark.parametrize("database", ["memory", "sqlite"])
@pytest.mark.parametrize("place", PLACES)
async def test_unexpired_session_who_came_first_is_signed_out(place: str, database: str, tmp_path: Any) -> None:
    options = {} if database == "memory" else {"database": f"sqlite:///{tmp_path}/auth.db"}
    auth = make(Clock(), **options, **kept(place))
    await auth.create_schema()
    attacker, other = await signed_up(auth), await signed_up(auth, "bob@example.com")
    await proven(auth)
    assert content(await attacker.get("/get-session")) is None
    assert content(await other.get("/get-session"))["user"]["emailVerified"] is False
    await auth.close()


@requirement("E09")
async def test_unexpired_session_a_reset_ends_it_where_that_is_wanted() -> None:
    clock, postbox = Clock(), Postbox()
    auth = make(clock, **postbox.options(password={"revoke_sessions_on_password_reset": True}))
    attacker = await signed_up(auth)
    await reset(auth, postbox, clock)
    assert content(await attacker.get("/get-session")) is None


@requirement("E09")
async def test_trojan_identifier_an_account_that_was_linked_before_is_gone() -> None:
    auth = make(Clock())
    attacker, other = await signed_up(auth), await signed_up(auth, "bob@example.com")
    await linked(auth, attacker, "acme", "attacker")
    await linked(auth, other, "acme", "bob")
    await proven(auth)
    accounts = await auth.accounts.find_many(auth.context(None))
    assert sorted(each.provider_id for each in accounts) == ["acme", "credential"]
    assert {each.user_id for each in accounts} == {(await user_of(auth, "bob@example.com")).id}


@requirement("E09", "E10")
@pytest.mark.parametrize("takes", ["by reset", "by first proof"])
async def test_unexpired_email_change_a_link_from_before_changes_nothing(takes: str) -> None:
    clock, postbox = Clock(), Postbox()
    auth = make(clock, **postbox.options())
    attacker = await signed_up(auth)
    await attacker.post("/change-email", {"newEmail": "attacker@example.com"})
    link = postbox.last
    if takes == "by reset":
        await reset(auth, postbox, clock)
    else:
        clock.advance(1)
        await proven(auth)
    before = await user_of(auth)
    for browser in (attacker, Browser(auth, ORIGIN)):
        refused = await browser.get("/verify-email", f"token={link.token}")
        assert (refused.status, content(refused)["code"]) == (401, "INVALID_TOKEN")
    assert await user_of(auth) == before
    # What the owner asks for from now on works.
    if takes == "by reset":
        owner = Browser(auth, ORIGIN)
        await owner.post("/sign-in/email", {"email": VICTIM, "password": "new password"})
        await owner.post("/change-email", {"newEmail": "victim@example.com"})
        assert (await follow(owner, postbox.last)).status == 302
        assert await user_of(auth, "victim@example.com") is not None


@requirement("E09")
async def test_non_verifying_provider_an_account_that_a_provider_did_not_vouch_for_is_gone() -> None:
    # The user came by a provider that lets anybody claim any address: no password, and nothing proven.
    auth = make(Clock())
    attacker = await signed_up(auth)
    await auth.accounts.delete(auth.context(None), provider_id="credential")
    await linked(auth, attacker, "careless", "attacker", access_token="a", refresh_token="r")
    await proven(auth)
    assert await counts(auth, "user", "account", "session") == [1, 0, 0]


@requirement("M05")
async def test_a_second_factor_of_who_came_first_does_not_keep_the_owner_out() -> None:
    clock = Clock()
    auth = make(clock)
    attacker, _ = await enrolled(auth, clock)
    assert isinstance(attacker, Browser)
    await auth.verifications.put(auth.context(None), "trust-device-x", (await user_of(auth)).id, 3600)
    await auth.verifications.put(auth.context(None), "trust-device-y", "another user", 3600)
    owner = await proven(auth)
    assert (owner.two_factor_enabled, await counts(auth, "twoFactor")) == (False, [0])
    rows = await auth.verifications.find_many(auth.context(None))
    assert [row.identifier for row in rows if row.identifier.startswith("trust-device")] == ["trust-device-y"]


@requirement("M05", "S-134")
@pytest.mark.parametrize("place", PLACES)
async def test_no_device_and_no_sign_in_of_who_came_first_goes_round_the_owners_second_factor(place: str) -> None:
    clock = Clock()
    options = kept(place, clock)
    auth = make(clock, **options)
    _, totp = await enrolled(auth, clock)
    device, waiting = await challenged(auth), await challenged(auth)
    body = {"code": totp.at(clock()), "trustDevice": True}
    assert content(await device.post("/two-factor/verify-totp", body))["token"]
    clock.advance(30)
    owner = await proven(auth)
    copies: list[str] = options["secondary_storage"].list_keys() if place == "both" else []
    assert [key for key in copies if key.startswith("verification:trust-device")] == []
    await auth.accounts.set_password(auth.context(None), owner, await auth.accounts.hash("password123"))
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/email", PASSWORD)
    own = await turned_on(browser, clock)
    refused = await waiting.post("/two-factor/verify-totp", {"code": own.at(clock())})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert content(await device.post("/sign-in/email", PASSWORD))["twoFactorRedirect"] is True
    # What the owner trusts from now on is trusted.
    trusting = await challenged(auth)
    await trusting.post("/two-factor/verify-totp", {"code": own.at(clock()), "trustDevice": True})
    assert content(await trusting.post("/sign-in/email", PASSWORD))["token"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Keys(Plugin[Any, Any]):
    """A plugin with credentials of its own."""

    id: ClassVar[str] = "keys"
    dropped: list[str]

    async def drop_credentials(self, ctx: Context, user: User) -> None:
        self.dropped.append(user.email)


async def test_a_plugin_is_told_to_drop_its_credentials_and_a_failure_takes_the_proof_back() -> None:
    keys = Keys(dropped=[])
    auth = plain(keys)
    await signed_up(auth)
    await proven(auth)
    assert keys.dropped == [VICTIM]

    class Failing(Keys):
        async def drop_credentials(self, ctx: Context, user: User) -> None:
            raise LookupError("the key store is down")

    failing = Auth(plugins=[Failing(dropped=[])], **BASICS)
    attacker = await signed_up(failing)
    with pytest.raises(LookupError):
        await proven(failing)
    assert content(await attacker.get("/get-session"))["user"]["emailVerified"] is False
    assert await counts(failing, "account", "session") == [1, 1]


async def test_a_proof_that_is_not_the_first_ends_nothing() -> None:
    auth = make()
    browser = await signed_up(auth)
    user = await user_of(auth)
    await auth.users.update(auth.context(None), {"id": user.id}, email_verified=True)
    before = await user_of(auth)
    assert await prove_mailbox(auth.context(None), auth.users, user) == before
    assert content(await browser.get("/get-session")) is not None
    assert await counts(auth, "account", "session") == [1, 1]


@requirement("E10")
async def test_the_proof_of_an_address_that_the_user_has_left_proves_nothing() -> None:
    auth = make()
    browser = await signed_up(auth)
    user = await user_of(auth)
    await auth.users.update(auth.context(None), {"id": user.id}, email="other@example.com")
    assert await prove_mailbox(auth.context(None), auth.users, user) is None
    assert content(await browser.get("/get-session"))["user"]["emailVerified"] is False
    await auth.users.delete(auth.context(None), id=user.id)
    assert await prove_mailbox(auth.context(None), auth.users, user) is None


async def test_of_many_proofs_at_once_none_ends_what_another_began(tmp_path: Any) -> None:
    auth: Auth[Api] = make(Clock(), database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    await signed_up(auth)
    user = await user_of(auth)

    async def enter() -> None:
        ctx = auth.context(None)
        owner = await prove_mailbox(ctx, auth.users, user)
        assert owner is not None
        await auth.sessions.start(ctx, owner, remember=True, address="", agent="")

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(enter)
    assert await counts(auth, "account", "session") == [0, 10]
    await auth.close()


@requirement("E09", "S-006")
async def test_a_reset_is_a_first_proof_where_that_is_wanted() -> None:
    clock, postbox = Clock(), Postbox()
    auth = make(clock, **postbox.options(password={"reset_proves_address": True}))
    attacker = await signed_up(auth)
    await linked(auth, attacker, "acme", "attacker")
    await reset(auth, postbox, clock)
    assert content(await attacker.get("/get-session")) is None
    assert (await user_of(auth)).email_verified
    accounts = await auth.accounts.find_many(auth.context(None))
    assert [each.provider_id for each in accounts] == ["credential"]
    owner = Browser(auth, ORIGIN)
    assert (await owner.post("/sign-in/email", {**PASSWORD, "password": "new password"})).status == 200
    # From then on a reset is only a reset.
    await linked(auth, owner, "acme", "owner")
    await reset(auth, postbox, clock, "newer password")
    assert content(await owner.get("/get-session")) is not None
    assert await counts(auth, "account") == [2]
