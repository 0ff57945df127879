"""Never run. Checked by mypy and basedpyright: the types a user of the published client sees."""

from collections.abc import Sequence
from typing import Literal, assert_type

from portico_client import AsyncAuthClient, AuthClient, ErrorCode, errors, models, two_factor_client


async def awaited(client: AsyncAuthClient) -> None:
    reply = await client.sign_in.email(email="", password="", remember_me=False)
    assert_type(reply, models.SignedIn | models.TwoFactorRequired)
    match reply:
        case models.SignedIn(user=user):
            assert_type(user, models.User)
            assert_type(user.username, str | None)
        case models.TwoFactorRequired(two_factor_methods=methods):
            assert_type(reply.two_factor_redirect, Literal[True])
            assert_type(len(methods), int)
    assert_type(await client.get_session(), models.SessionData | None)
    assert_type(await client.session.get(), models.SessionData | None)
    sessions: Sequence[models.Session] = await client.list_sessions()
    assert_type(sessions[0].ip_address, str | None)
    assert_type(await client.token(), models.Token)
    assert_type((await client.jwks()).keys, list[models.PublicKey])
    raw = await client.with_raw_response(client.sign_up.email)(name="", email="", password="")
    assert_type(raw.value, models.SignedUp)
    assert_type(client.with_options(timeout=1), AsyncAuthClient)


async def linked(client: AsyncAuthClient) -> None:
    assert_type(await client.sign_in.magic_link(email="", metadata={"theme": "dark"}), models.Status)
    assert_type(await client.magic_link.verify(token=""), models.MagicLinkVerified | models.TwoFactorRequired)


async def shared(client: AsyncAuthClient) -> None:
    listed: Sequence[models.SessionData] = await client.multi_session.list_device_sessions()
    assert_type(listed[0].user, models.User)
    assert_type(await client.multi_session.set_active(session_token=""), models.SessionData)
    assert_type(await client.multi_session.revoke(session_token=""), models.Status)


def called(client: AuthClient) -> None:
    assert_type(client.sign_in.email(email="", password=""), models.SignedIn | models.TwoFactorRequired)
    assert_type(client.session.get(), models.SessionData | None)
    assert_type(client.two_factor.enable(password=""), models.TwoFactorEnabled | models.OtpEnabled)
    assert_type(client.token(), models.Token)
    assert_type(client.jwks(), models.JsonWebKeySet)
    raw = client.with_raw_response(client.sign_up.email)(name="", email="", password="")
    assert_type(raw.value, models.SignedUp)
    with AuthClient("https://example.com", plugins=[two_factor_client(on_two_factor_redirect=print)]) as opened:
        assert_type(opened, AuthClient)


def refused(client: AuthClient) -> None:
    try:
        client.sign_out()
    except errors.Unauthorized as error:
        assert_type(error.code, ErrorCode | None)
    except errors.RateLimited as error:
        assert_type(error.code, ErrorCode | None)
        assert_type(error.retry_after, float | None)
    except errors.OAuthError as error:
        assert_type(error.error, str)
    except errors.ApiError as error:
        assert_type(error.code, ErrorCode | None)
        assert_type(error.raw_code, str | None)


def wrong(client: AuthClient) -> None:
    client.sign_in.email("ann@example.com", "password")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # keywords only
    client.sign_in.email(email="")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # a password is missing
    client.two_factor.nothing()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # no such thing
    try:
        client.sign_out()
    except errors.ApiError as error:
        if error.code == "NO_SUCH_CODE":  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]  # no such code
            raise
