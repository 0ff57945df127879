import logging
from dataclasses import replace
from typing import Any

import pytest

from app import BASICS, ORIGIN, SECRET, plain, signed_up
from portico import (
    Auth,
    ConfigError,
    CookieCacheOptions,
    EmailAndPassword,
    EmailVerification,
    Request,
    SessionOptions,
    VerificationMail,
)
from portico.configuration import DEFAULT_PATH, PUBLIC_SECRETS, site_of
from portico.crypto.random import random_letters
from requirements import requirement

VARIABLES = ("BETTER_AUTH_SECRET", "AUTH_SECRET", "BETTER_AUTH_SECRETS", "BETTER_AUTH_URL", "PORTICO_ENV")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@requirement("CONF-secret", "S-151")
def test_production_needs_a_secret_and_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"BETTER_AUTH_SECRET \(`portico secret` makes one\)"):
        Auth(base_url=ORIGIN)


@requirement("CONF-secret", "J02")
@pytest.mark.parametrize("secret", sorted(PUBLIC_SECRETS))
def test_production_refuses_a_secret_that_everybody_can_read(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="published in source code"):
        Auth(base_url=ORIGIN, secret=secret)
    with pytest.raises(ConfigError, match="published in source code"):
        Auth(base_url=ORIGIN, secrets=[(2, SECRET), (1, secret)])
    monkeypatch.setenv("BETTER_AUTH_SECRET", secret)
    with pytest.raises(ConfigError, match="published in source code"):
        Auth(base_url=ORIGIN)
    monkeypatch.setenv("PORTICO_ENV", "development")
    assert Auth(base_url=ORIGIN).keyring.current == secret


@requirement("CONF-secret", "S-151")
def test_development_may_go_without_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PORTICO_ENV", "development")
    Auth(base_url=ORIGIN)
    assert "no secret is set" in caplog.text


@requirement("S-151")
def test_secret_and_url_come_from_the_environment_if_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    monkeypatch.setenv("BETTER_AUTH_URL", "https://env.example.com")
    assert (Auth().keyring.current, Auth().site.origin) == (SECRET, "https://env.example.com")
    given = Auth(secret="another-secret-0123456789-abcdefghij", base_url=ORIGIN)
    assert (given.keyring.current, given.site.origin) == ("another-secret-0123456789-abcdefghij", ORIGIN)


@requirement("B-59", "S-151")
def test_versioned_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRETS", f"2:new-secret-0123456789-abcdefghijklmn,1:{SECRET}")
    keyring = Auth(base_url=ORIGIN).keyring
    assert (keyring.accepted, keyring.encryption_version) == (("new-secret-0123456789-abcdefghijklmn", SECRET), 2)


@requirement("S-152", "CONF-secret", "F08")
def test_a_short_secret_is_warned_about_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Auth(secret="too-short-a-secret", base_url=ORIGIN)
    assert "fewer than 32 characters" in caplog.text
    assert "too-short-a-secret" not in caplog.text


@requirement("S-152", "CONF-secret")
def test_a_secret_that_can_be_guessed_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    Auth(secret="password" * 4, base_url=ORIGIN)
    assert "the secret can be guessed" in caplog.text
    caplog.clear()
    Auth(secret=random_letters(32), base_url=ORIGIN)
    assert caplog.text == ""


@requirement("S-150")
def test_the_name_of_the_application_comes_from_the_environment_if_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain().app_name == "Better Auth"
    monkeypatch.setenv("APP_NAME", "Shop")
    assert (plain().app_name, plain(app_name="Bank").app_name) == ("Shop", "Bank")


async def post(mail: VerificationMail, request: Request | None) -> None: ...


@requirement("S-174", "S-269")
@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"email_and_password": EmailAndPassword(enabled=True, require_email_verification=True)}, "require_email_"),
        ({"email_verification": EmailVerification(send_on_sign_up=True)}, "send_on_sign_up"),
        ({"email_verification": EmailVerification(send_on_sign_in=True)}, "send_on_sign_in"),
    ],
)
def test_a_mail_that_nobody_would_send_is_warned_about(
    options: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    plain(**options)
    assert [f"{name}" in line and "is on and nobody mails the link" in line for line in caplog.messages] == [True]
    caplog.clear()
    verification = replace(options.get("email_verification", EmailVerification()), send_verification_email=post)
    plain(**options | {"email_verification": verification})
    assert caplog.messages == []


@requirement("S-264")
def test_sessions_that_stop_being_fresh_before_they_are_prolonged_are_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for session in (SessionOptions(), SessionOptions(update_age=2, fresh_age=0), SessionOptions(update_age=60)):
        plain(session=session)
    assert caplog.messages == []
    plain(session=SessionOptions(update_age=3601, fresh_age=3600))
    assert [line.partition(":")[0] for line in caplog.messages] == ["session.update_age is more than fresh_age"]


@requirement("S-160")
def test_the_strategy_of_the_cookie_cache_has_two_names() -> None:
    for cache in (CookieCacheOptions(encoding="jwe"), CookieCacheOptions(encoding="jwe", strategy="jwe")):
        assert plain(session=SessionOptions(cookie_cache=cache)).copies.strategy == "jwe"
    with pytest.raises(ConfigError, match="strategy is 'jwt' and encoding 'jwe': they are two names of one thing"):
        plain(session=SessionOptions(cookie_cache=CookieCacheOptions(encoding="jwe", strategy="jwt")))


@requirement("J02", "B-59")
@pytest.mark.anyio
async def test_a_cookie_signed_with_a_retired_secret_still_opens() -> None:
    old = plain()
    browser = await signed_up(old)
    rotated = plain(secrets=[(2, "second-secret-0123456789-abcdefghijklmn"), (1, SECRET)], database=old.store)
    assert await rotated.api.get_session(browser.headers) is not None
    replaced = plain(secret="second-secret-0123456789-abcdefghijklmn", database=old.store)
    assert await replaced.api.get_session(browser.headers) is None


@requirement("CONF-base-url", "B-62", "S-150")
@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"base_url": "https://a.example.com"}, "https://a.example.com/api/auth"),
        ({"base_url": "https://A.example.com:8443/", "base_path": "/auth/"}, "https://a.example.com:8443/auth"),
        ({"base_url": "https://a.example.com/own/path", "base_path": "/auth"}, "https://a.example.com/own/path"),
        ({"base_url": "http://[::1]:3000", "base_path": ""}, "http://[::1]:3000"),
    ],
)
def test_a_path_in_the_base_url_wins_over_the_base_path(options: Any, url: str) -> None:
    assert site_of(options["base_url"], options.get("base_path", DEFAULT_PATH)).url == url


@requirement("CONF-base-url")
@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a b",
        "https://x:99999",
        "https://x?q",
        "https://u@x",
        "",
    ],
)
def test_a_base_url_that_is_none_is_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError, match="base"):
        Auth(secret=SECRET, base_url=url)


@requirement("CONF-options")
def test_an_option_that_does_not_exist_is_a_mistake_with_a_suggestion() -> None:
    options: Any = {**BASICS, "trusted_origin": ["https://x.example.com"]}
    with pytest.raises(ConfigError, match="no option 'trusted_origin'; did you mean 'trusted_origins'"):
        Auth(**options)


@requirement("CONF-environment")
def test_an_unknown_mode_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTICO_ENV", "prod")
    with pytest.raises(ConfigError, match="PORTICO_ENV is one of production, development, test"):
        plain()


@requirement("CONF-session")
@pytest.mark.parametrize(
    "options",
    [
        SessionOptions(expires_in=0),
        SessionOptions(update_age=-1),
        SessionOptions(cookie_cache=CookieCacheOptions(max_age=0)),
        SessionOptions(cookie_cache=CookieCacheOptions(max_age=60, refresh_cache=61)),
        SessionOptions(cookie_cache=CookieCacheOptions(refresh_cache=-1)),
        SessionOptions(cookie_cache=CookieCacheOptions(strategy="aes")),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    ],
)
def test_lifetimes_that_cannot_be_meant_are_mistakes(options: SessionOptions) -> None:
    with pytest.raises(ConfigError, match=r"session|CookieCacheOptions"):
        plain(session=options)


@requirement("CONF-base-url")
def test_a_base_path_begins_with_a_slash() -> None:
    with pytest.raises(ConfigError, match="base_path must start with a slash, such as '/api/auth', not 'auth'"):
        plain(base_path="auth")


@requirement("CONF-options")
def test_paths_that_nobody_serves_are_mistakes() -> None:
    with pytest.raises(ConfigError, match="no endpoint has the path '/sign-inn/email'"):
        plain(disabled_paths=["/sign-inn/email"])


@requirement("CONF-plugins")
def test_additional_fields_of_an_unknown_table_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="additional_fields names"):
        plain(additional_fields={"users": {"nickname": str | None}})
