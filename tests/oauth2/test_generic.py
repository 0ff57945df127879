import socket

import pytest

from oauth_server import OAuthServer, oauth_server
from portico import ConfigError, GenericOAuth, OAuthError, OAuthTokens, ProviderUser
from portico.oauth2.provider import RefreshingProvider
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-024")]


def provider_at(server: OAuthServer, **options: object) -> GenericOAuth:
    given = {"client_secret": "provider secret", "user_info_url": f"{server.url}/userinfo", **options}
    return GenericOAuth(id="acme", client_id="client", token_url=f"{server.url}/token", **given)  # type: ignore[arg-type]  # options of several kinds


async def test_tokens_are_refreshed_as_the_standard_says() -> None:
    with oauth_server() as server:
        provider = provider_at(server)
        assert isinstance(provider, RefreshingProvider)
        tokens = await provider.refresh("first")
        assert tokens == OAuthTokens(
            access_token="access for first",
            refresh_token="first+",
            id_token="id for first",
            expires_in=3600,
            refresh_token_expires_in=86400,
            scopes=["openid"],
        )
        assert await provider.refresh("endless lasting") == OAuthTokens(
            access_token="access for endless lasting", scopes=["openid"]
        )
        await provider_at(server, client_secret="").refresh("public")
    sent = {"grant_type": "refresh_token", "refresh_token": "first", "client_id": "client"}
    assert server.forms[0] == {**sent, "client_secret": "provider secret"}
    assert server.forms[2] == {**sent, "refresh_token": "public"}
    assert "provider secret" not in repr(provider)
    assert "first" not in repr(tokens)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (60, 60),
        (0.5, 0.5),
        ("3600", 3600),
        ("an hour", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        (10**400, None),
        (0, None),
        (-1, None),
        (None, None),
        ([60], None),
    ],
    ids=lambda each: str(each)[:8],
)
async def test_a_lifetime_is_a_number_of_seconds_or_not_known(said: object, seconds: float | None) -> None:
    with oauth_server() as server:
        server.lifetime = said
        assert (await provider_at(server).refresh("first")).expires_in == seconds


@pytest.mark.parametrize("token", ["refused", "page", "nothing", "moved"])
async def test_an_answer_without_tokens_is_an_error_that_tells_no_secret(token: str) -> None:
    with oauth_server() as server:
        with pytest.raises(OAuthError) as refused:
            await provider_at(server).refresh(token)
        # A redirect would carry the secret to wherever it leads.
        assert len(server.forms) == 1
    assert "secret" not in str(refused.value)


async def test_a_profile_has_the_claims_under_their_names_and_under_ours() -> None:
    with oauth_server() as server:
        user = await provider_at(server).user_info(OAuthTokens(access_token="abc"))
        assert user == ProviderUser(
            email="ann@provider.test",
            email_verified=True,
            name="Ann at the provider",
            image="https://provider.test/ann.png",
            data={
                "sub": "42",
                "name": "Ann at the provider",
                "email": "ann@provider.test",
                "email_verified": True,
                "picture": "https://provider.test/ann.png",
                "groups": ["staff"],
                "emailVerified": True,
                "image": "https://provider.test/ann.png",
            },
        )
        as_text = await provider_at(server).user_info(OAuthTokens(access_token="text"))
        assert as_text is not None
        assert as_text.email_verified
        bare = await provider_at(server).user_info(OAuthTokens(access_token="bare"))
        assert bare == ProviderUser(data={"sub": "7", "emailVerified": False})
    assert server.bearers == ["abc", "text", "bare"]


async def test_a_provider_that_knows_no_user_says_so() -> None:
    with oauth_server() as server:
        assert await provider_at(server).user_info(OAuthTokens(access_token="revoked")) is None
        assert await provider_at(server, user_info_url=None).user_info(OAuthTokens(access_token="abc")) is None
        with pytest.raises(OAuthError):
            await provider_at(server).user_info(OAuthTokens(access_token="page"))
    assert server.bearers == ["revoked", "page"]


async def test_a_provider_that_is_not_there_or_hangs_is_an_error_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        hanging = GenericOAuth(id="acme", client_id="c", client_secret="hidden", token_url=url, timeout=0.5)
        with pytest.raises(OAuthError, match="acme cannot be reached: ReadTimeout"):
            await hanging.refresh("first")
    with pytest.raises(OAuthError, match="acme cannot be reached: ConnectError"):
        await hanging.refresh("first")


@requirement("CONF-providers")
def test_two_providers_need_two_ids() -> None:
    from app import plain  # noqa: PLC0415  # the other tests need no Auth

    acme = GenericOAuth(id="acme", client_id="c", token_url="https://acme.test/token")
    for providers in ([acme, acme], [GenericOAuth(id="credential", client_id="c", token_url="https://x.test")]):
        with pytest.raises(ConfigError, match="is taken; give each provider an id of its own"):
            plain(social_providers=providers)
