"""What a newcomer without a type checker gets wrong is told when the Auth is built."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import pytest

import portico
from app import BASICS, ORIGIN, SECRET, plain
from portico import Auth, ConfigError, MemoryStore, Plugin, SessionOptions
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.magic_link import MagicLink
from portico.plugins.two_factor import BackupCodeOptions, OtpOptions, TwoFactor
from portico.plugins.username import Username
from requirements import requirement


async def send(mail: object, request: object) -> None:
    """Send nothing."""


PLUGINS: list[tuple[type[Plugin[Any, Any]], dict[str, Any], str]] = [
    (MagicLink, {"send_magic_link": None}, r"MagicLink\(send_magic_link=...\) takes a function, not None"),
    (MagicLink, {"send_magic_link": send, "expires_in": "5m"}, r"\(expires_in=...\) takes a number, not str"),
    (MagicLink, {"send_magic_link": send, "store_token": "sha"}, "takes 'plain' or 'hashed' or a function, not 'sha'"),
    (TwoFactor, {"otp": send}, r"TwoFactor\(otp=...\) takes OtpOptions or None, not function"),
    (TwoFactor, {"require_for": "passwords"}, "takes 'all' or 'password' or a function, not 'passwords'"),
    (TwoFactor, {"skip_verification_on_enable": "no"}, "takes True or False, not str"),
    (DeviceAuthorization, {"validate_client": ["acme-cli"]}, "takes a function or None, not list"),
    (DeviceAuthorization, {"interval": True}, "takes a number, not bool"),
    (Username, {"username_validator": "[a-z]+"}, "takes a function, not str"),
    (Username, {"validation_order": "pre-normalization"}, "takes ValidationOrder, not str"),
]
OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"email_and_password": True}, r"Auth\(email_and_password=...\) takes EmailAndPassword, not bool"),
    ({"email_and_password": {"enabled": True}}, "takes EmailAndPassword, not dict"),
    ({"trusted_origins": ORIGIN}, "takes a list or a function, not str"),
    ({"secret": SECRET.encode()}, r"Auth\(secret=...\) takes a text, not bytes"),
    ({"session": SessionOptions(cookie_cache=True)}, r"\(cookie_cache=...\) takes CookieCacheOptions"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    ({"plugins": Bearer()}, r"Auth\(plugins=...\) takes a list or None, not Bearer"),
    ({"api": portico.Api(plain(), {})}, r"Auth\(api=...\) takes type or None, not Api"),
]


@requirement("CONF-types")
@pytest.mark.parametrize(("plugin", "options", "message"), PLUGINS)
def test_an_option_of_a_plugin_that_has_another_type_is_a_mistake(
    plugin: type[Plugin[Any, Any]], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        plain(plugin(**options))


@requirement("CONF-types")
@pytest.mark.parametrize(
    "options",
    [
        {"otp": OtpOptions(send_otp=send, store_otp="hash")},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
        {"backup_codes": BackupCodeOptions(store="hashed")},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    ],
    ids=str,
)
def test_options_within_options_are_looked_at_too(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"Options\(store\w*=...\) takes '\w+' or '\w+' or .*Sealing, not 'hash"):
        plain(TwoFactor(**options))


@requirement("CONF-types")
@pytest.mark.parametrize(("options", "message"), OPTIONS, ids=[next(iter(options)) for options, _ in OPTIONS])
def test_an_option_of_another_type_is_a_mistake(options: dict[str, Any], message: str) -> None:
    given: Any = {**BASICS, **options}
    with pytest.raises(ConfigError, match=message):
        Auth(**given)


@requirement("CONF-types")
def test_what_is_refused_is_not_told_where_it_may_be_a_secret() -> None:
    options: Any = {**BASICS, "secret": [SECRET]}
    with pytest.raises(ConfigError) as refused:
        Auth(**options)
    assert SECRET not in str(refused.value)


@requirement("CONF-types", "CONF-secret")
def test_what_may_be_in_the_environment_may_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    monkeypatch.setenv("BETTER_AUTH_URL", ORIGIN)
    nothing: Any = dict.fromkeys(("app_name", "base_url", "secret", "secrets"))
    auth = plain(**nothing)
    assert (auth.keyring.current, auth.base_url) == (SECRET, ORIGIN)


class Place(TypedDict):
    city: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Founders(Plugin):
    id: ClassVar[str] = "founders"
    names: tuple[str, ...] = ()
    weight: float = 1
    limits_of: "dict[str, int] | None" = None
    note: Any = None
    place: Place | None = None


@requirement("CONF-types")
@pytest.mark.parametrize(
    "options",
    [{"names": ["ann"]}, {"weight": 2}, {"limits_of": 3}, {"note": 3}, {"place": {"city": "Ulm"}}],
    ids=str,
)
def test_what_does_as_well_and_what_only_a_type_checker_can_tell_passes(options: dict[str, Any]) -> None:
    plain(Founders(**options))
    with pytest.raises(ConfigError, match="takes Place or None, not str"):
        plain(Founders(place="Ulm"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake


@requirement("CONF-plugins")
def test_a_plugin_that_was_not_made_is_a_mistake_and_not_left_out() -> None:
    class Api(portico.Api):
        two_factor = TwoFactor

    with pytest.raises(ConfigError, match=r"Api\.two_factor is a value: write TwoFactor\(\.\.\.\)"):
        Auth(secret=SECRET, base_url=ORIGIN, database=MemoryStore(), api=Api)
    listed: Any = {**BASICS, "plugins": [Bearer]}
    with pytest.raises(ConfigError, match=r"plugins= lists values: write Bearer\(\.\.\.\)"):
        Auth(**listed)
    named: Any = {**BASICS, "plugins": ["bearer"]}
    with pytest.raises(ConfigError, match=r"write Bearer\(\), for instance, not 'bearer'"):
        Auth(**named)
