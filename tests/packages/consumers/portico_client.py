"""What somebody writes who has installed `portico-client`; checked against the wheel, never run."""

from typing import assert_type

from portico_client import AsyncAuthClient, AuthClient, BearerAuth, ErrorCode, errors, models

client = AuthClient("https://example.com", auth=BearerAuth(token="t"))
waiting = AsyncAuthClient("https://example.com")


async def use() -> None:
    try:
        reply = client.sign_in.email(email="ann@example.com", password="password123")
    except errors.Unauthorized as refused:
        assert_type(refused.code, ErrorCode | None)
    else:
        assert_type(reply, models.SignedIn | models.TwoFactorRequired)
    assert_type(client.session.get(), models.SessionData | None)
    assert_type(await waiting.get_session(), models.SessionData | None)
    assert_type(await waiting.two_factor.verify_totp(code="000000"), models.SignedIn)
