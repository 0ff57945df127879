"""What a user of the published client does; every server answers it the same."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from client.published.places import ClientAt, settled
from plugins.relying import proven
from portico_client import errors, models, two_factor_client, username_client

Flow = Callable[[ClientAt], Coroutine[Any, Any, None]]

PASSWORD = "correct horse battery"
ANN = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD}


async def signing_up_reading_the_session_and_leaving(client_at: ClientAt) -> None:
    async with client_at() as ann:
        assert await ann("session.get") is None
        signed_up = await ann("sign_up.email", **ANN)
        assert type(signed_up) is models.SignedUp
        assert (signed_up.user.name, signed_up.user.email, signed_up.user.email_verified) == (
            "Ann",
            "ann@example.com",
            False,
        )
        assert abs(signed_up.user.created_at - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251  # a server's clock
        session = await ann("session.get")
        assert type(session) is models.SessionData
        assert (session.user, session.session.token) == (signed_up.user, signed_up.token)
        assert [each.id for each in await ann("list_sessions")] == [session.session.id]
        assert await ann("sign_out") == models.Success(success=True)
        assert await ann("session.get") is None
        with pytest.raises(errors.Unauthorized):
            await ann("list_sessions")


async def what_a_call_changes_is_fetched_again(client_at: ClientAt) -> None:
    async with client_at() as ann:
        await ann("sign_up.email", **ANN)
        before = await ann("session.get")
        assert await ann("session.get") is before
        assert await ann("update_user", name="Ann B.", image=None) == models.Status(status=True)
        assert ann.client.session.is_stale
        after = await ann("session.get")
        assert (after.user.name, after.user.image, after.user.id) == ("Ann B.", None, before.user.id)


async def refusals_are_errors_with_their_codes(client_at: ClientAt) -> None:
    async with client_at() as ann:
        with pytest.raises(errors.BadRequest) as short:
            await ann("sign_up.email", **{**ANN, "password": "short"})
        assert (short.value.status, short.value.code) == (400, "PASSWORD_TOO_SHORT")
        await ann("sign_up.email", **ANN)
    async with client_at() as other:
        with pytest.raises(errors.UnprocessableEntity) as taken:
            await other("sign_up.email", **ANN)
        assert taken.value.code == "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
        with pytest.raises(errors.Unauthorized) as wrong:
            await other("sign_in.email", email="ann@example.com", password="wrong horse battery")
        assert (wrong.value.status, wrong.value.code) == (401, "INVALID_EMAIL_OR_PASSWORD")
        assert await other("session.get") is None


async def a_second_step_is_another_variant(client_at: ClientAt) -> None:
    asked_for: list[Sequence[str]] = []
    async with client_at() as ann:
        await ann("sign_up.email", **ANN)
        enabled = await ann("two_factor.enable", password=PASSWORD)
        assert type(enabled) is models.TwoFactorEnabled
        verified = await ann("two_factor.verify_totp", code=TOTP(secret_of(enabled.totp_uri)).now())
        assert type(verified) is models.SignedIn
        assert (await ann("session.get")).user.two_factor_enabled is True
    async with client_at(plugins=[two_factor_client(on_two_factor_redirect=asked_for.append)]) as again:
        match await again("sign_in.email", email="ann@example.com", password=PASSWORD):
            case models.TwoFactorRequired(two_factor_methods=methods):
                assert methods == ["totp"]
            case other:
                pytest.fail(f"{other!r} is no second step")
        assert asked_for == [["totp"]]
        assert await again("session.get") is None
        with pytest.raises(errors.Unauthorized) as wrong:
            await again("two_factor.verify_backup_code", code="none-of-them")
        assert wrong.value.code == "INVALID_BACKUP_CODE"
        finished = await again("two_factor.verify_backup_code", code=enabled.backup_codes[0])
        assert type(finished) is models.SignedIn
        assert (await again("session.get")).user.email == "ann@example.com"


async def a_second_factor_is_kept_up(client_at: ClientAt) -> None:
    async with client_at() as ann:
        await ann("sign_up.email", **ANN)
        enabled = await ann("two_factor.enable", password=PASSWORD)
        secret = secret_of(enabled.totp_uri)
        first = (await ann("session.get")).session.token
        await ann("two_factor.verify_totp", code=TOTP(secret).now())
        assert ann.client.session.is_stale
        second = (await ann("session.get")).session.token
        shown = await ann("two_factor.get_totp_uri", password=PASSWORD)
        assert (type(shown), secret_of(shown.totp_uri)) == (models.TotpUri, secret)
        renewed = await ann("two_factor.generate_backup_codes", password=PASSWORD)
        assert (type(renewed), len(renewed.backup_codes), renewed.status) == (models.BackupCodes, 10, True)
        spent = await ann("two_factor.verify_backup_code", code=renewed.backup_codes[0], disable_session=True)
        assert (type(spent), spent.token) == (models.SignedIn, second)
        with pytest.raises(errors.BadRequest) as nothing:
            await ann("two_factor.send_otp")
        assert nothing.value.code == "OTP_NOT_CONFIGURED"
        await ann("session.get")
        assert await ann("two_factor.disable", password=PASSWORD) == models.Status(status=True)
        assert ann.client.session.is_stale
        after = await ann("session.get")
        assert (after.user.two_factor_enabled, after.session.token in {first, second}) == (False, False)


def secret_of(uri: str) -> str:
    """Return the secret in an otpauth: URI."""
    (secret,) = parse_qs(urlsplit(uri).query)["secret"]
    return secret


async def two_users_share_a_client(client_at: ClientAt) -> None:
    async with client_at() as shared:
        ann = await shared("sign_up.email", **ANN)
        bob = await shared("sign_up.email", **{**ANN, "name": "Bob", "email": "bob@example.com"})
        assert (await shared("session.get")).user == bob.user
        listed = await shared("multi_session.list_device_sessions")
        assert {each.session.token: each.user for each in listed} == {ann.token: ann.user, bob.token: bob.user}
        active = await shared("multi_session.set_active", session_token=ann.token)
        assert (type(active), active.user) == (models.SessionData, ann.user)
        assert (await shared("session.get")).user == ann.user
        assert await shared("multi_session.revoke", session_token=ann.token) == models.Status(status=True)
        assert shared.client.session.is_stale
        assert (await shared("session.get")).user == bob.user
        with pytest.raises(errors.Unauthorized) as gone:
            await shared("multi_session.set_active", session_token=ann.token)
        assert gone.value.code == "INVALID_SESSION_TOKEN"


async def a_username_signs_in(client_at: ClientAt) -> None:
    async with client_at() as ann:
        free = models.Availability(available=True)
        assert await ann("is_username_available", username="Ann_B") == free
        signed_up = await ann("sign_up.email", **ANN, username="Ann_B")
        assert (signed_up.user.username, signed_up.user.display_username) == ("ann_b", "Ann_B")
        assert await ann("is_username_available", username="ann_b") != free
    async with client_at(plugins=[username_client()]) as again:
        signed_in = await again("sign_in.username", username="ann_B", password=PASSWORD)
        assert type(signed_in) is models.SignedIn
        assert signed_in.user == signed_up.user


async def a_plugin_that_is_left_out_is_never_called(client_at: ClientAt) -> None:
    sent: list[Any] = []
    async with client_at(plugins=[], on_request=sent.append) as ann:
        with pytest.raises(errors.PluginNotConfiguredError):
            await ann("two_factor.enable", password=PASSWORD)
        assert sent == []
        await ann("sign_up.email", **ANN)
        assert len(sent) == 1


async def one_session_ends_the_others(client_at: ClientAt) -> None:
    async with client_at() as laptop, client_at() as phone:
        await laptop("sign_up.email", **ANN)
        signed_in = await phone("sign_in.email", email="ann@example.com", password=PASSWORD, remember_me=False)
        assert type(signed_in) is models.SignedIn
        tokens = {each.token for each in await laptop("list_sessions")}
        assert signed_in.token in tokens
        assert len(tokens) == 2
        assert await laptop("revoke_session", token=signed_in.token) == models.Status(status=True)
        assert await phone("session.refetch") is not None
        assert (await laptop("session.get")).session.token in tokens - {signed_in.token}
        assert phone.client.session.state.data is None


async def a_changed_password_is_the_only_one(client_at: ClientAt) -> None:
    async with client_at() as ann:
        await ann("sign_up.email", **ANN)
        with pytest.raises(errors.BadRequest) as wrong:
            await ann("change_password", current_password="wrong horse", new_password="another horse battery")
        assert wrong.value.code == "INVALID_PASSWORD"
        changed = await ann("change_password", current_password=PASSWORD, new_password="another horse battery")
        assert type(changed) is models.PasswordChanged
    async with client_at() as again:
        with pytest.raises(errors.Unauthorized):
            await again("sign_in.email", email="ann@example.com", password=PASSWORD)
        signed_in = await again("sign_in.email", email="ann@example.com", password="another horse battery")
        assert type(signed_in) is models.SignedIn


async def the_last_account_stays(client_at: ClientAt) -> None:
    async with client_at() as ann:
        signed_up = await ann("sign_up.email", **ANN)
        [account] = await ann("list_accounts")
        assert type(account) is models.LinkedAccount
        assert (account.provider_id, account.user_id, account.scopes) == ("credential", signed_up.user.id, [])
        with pytest.raises(errors.BadRequest) as last:
            await ann("unlink_account", account_id=account.id)
        assert last.value.code == "FAILED_TO_UNLINK_LAST_ACCOUNT"
        with pytest.raises(errors.BadRequest) as nothing:
            await ann("update_session")
        assert nothing.value.message == "No fields to update"
        assert await ann("list_accounts") == [account]


async def what_the_client_does_not_know_is_reached_by_path(client_at: ClientAt) -> None:
    async with client_at() as ann:
        assert await ann("call", path="/ok") == {"ok": True}
        raw = await settled(ann.client.with_raw_response(ann.client.sign_up.email)(**ANN))
        assert (raw.status, type(raw.value), raw.value.user.name) == (200, models.SignedUp, "Ann")


async def a_token_proves_the_session_to_others(client_at: ClientAt) -> None:
    async with client_at() as ann:
        with pytest.raises(errors.Unauthorized):
            await ann("token")
        signed_up = await ann("sign_up.email", **ANN)
        token = await ann("token")
        assert type(token) is models.Token
        (key,) = (await ann("jwks")).keys
        assert type(key) is models.PublicKey
        claims = proven(token.token, [key.model_dump(exclude_none=True)])
        assert claims is not None
        assert (claims["sub"], claims["email"]) == (signed_up.user.id, "ann@example.com")
        assert (key.alg, key.crv) == ("EdDSA", "Ed25519")


TOKEN_FLOWS: Sequence[Flow] = (a_token_proves_the_session_to_others,)
"""Those of a server with the plugin `jwt`."""

SHARED_FLOWS: Sequence[Flow] = (two_users_share_a_client,)
"""Those of a server with the plugin `multi-session`."""

FLOWS: Sequence[Flow] = (
    signing_up_reading_the_session_and_leaving,
    what_a_call_changes_is_fetched_again,
    refusals_are_errors_with_their_codes,
    a_second_step_is_another_variant,
    a_second_factor_is_kept_up,
    a_username_signs_in,
    a_plugin_that_is_left_out_is_never_called,
    one_session_ends_the_others,
    a_changed_password_is_the_only_one,
    the_last_account_stays,
    what_the_client_does_not_know_is_reached_by_path,
)
