import json
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from cli.running import portico
from requirements import requirement
from store.database_servers import database_on

pytestmark = requirement("S-257")

HUSH = "hush-hush-"
"""Begins everything that is secret here."""
READY = {
    "BETTER_AUTH_SECRET": HUSH + "0123456789-abcdefghijklm-SECRET",
    "BETTER_AUTH_SECRETS": f"2:{HUSH}0123456789-abcdefghijklm-SECOND,1:{HUSH}0123456789-abcdefghijklm-FIRST",
    "BETTER_AUTH_URL": "https://shop.example",
}
APP = """
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Literal

from portico import *
from portico.plugins.two_factor import OtpOptions, TwoFactor
from portico.plugins.username import Username

HUSH = "hush-hush-"


class Storage(MemorySecondaryStorage):
    url = f"redis://:{HUSH}redis@cache.example"

    def __repr__(self):
        return self.url


async def mail(key, message, request): ...


@before("/sign-in/email")
async def look(ctx): ...


@before_create("user")
async def check(ctx, values): ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Captcha(Plugin):
    id: ClassVar[str] = "captcha"
    site_key: str = HUSH + "site"
    keys: tuple = (HUSH + "one", 7)
    by_host: object = None
    theme: Literal["dark", "light"] = "dark"
    retries: int = 3


def provider(name):
    url = f"https://{HUSH}token.example"
    return GenericOAuth(id=name, client_id=HUSH + "id", client_secret=HUSH + "client", token_url=url)


auth = Auth(
    database=f"postgresql://{HUSH}user:{HUSH}password@127.0.0.1:9/shop?passfile={HUSH}file",
    secondary_storage=Storage(),
    email_and_password=EmailAndPassword(enabled=True, send_reset_password=partial(mail, HUSH + "smtp")),
    social_providers=[provider("github"), provider("google")],
    plugins=[
        TwoFactor(issuer=HUSH + "issuer", otp=OtpOptions(send_otp=partial(mail, HUSH + "sms"), digits=8)),
        Username(),
        Captcha(by_host={HUSH: HUSH}),
    ],
    session=SessionOptions(expires_in=3600, update_age=60, cookie_cache=CookieCacheOptions(strategy="jwe")),
    rate_limit=RateLimitOptions(custom_rules={"/ok": RateLimit(window=1, max=2), "/error": False}),
    trusted_origins=["https://*.shop.example"],
    additional_fields={"user": {"nickname": Annotated[str | None, Column(input=True)]}},
    hooks=[look],
    database_hooks=[check],
)
leaking = Auth(app_name=f"Shop {auth.keyring.current}", base_url="https://shop.example", naming="snake",
    base_path="/auth", plugins=[TwoFactor()])
dynamic = Auth(base_url=DynamicBaseURL(allowed_hosts=["a.example", "*.b.example"], protocol="https",
    fallback="https://c.example"), social_providers=[provider("github")])
on_server = Auth(database=open("database").read())
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "database").write_text("sqlite:///app.db")
    return tmp_path


def facts(app: Path, name: str = "auth") -> dict[str, Any]:
    done = portico("info", f"app:{name}", "--json", cwd=app, **READY)
    assert (done.returncode, done.stderr) == (0, "")
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def test_info_tells_versions_urls_and_redirect_uris(app: Path) -> None:
    shown = facts(app)
    assert (shown["versions"]["portico"], shown["versions"]["python"]) == (
        version("portico"),
        platform.python_version(),
    )
    assert shown["drivers"]["asyncpg"] == version("asyncpg")
    assert shown["database"]["kind"] == "postgresql"
    assert shown["database"]["problem"] == "PostgreSQL is not available: ConnectionRefusedError"
    assert (shown["urls"], shown["base_path"]) == (["https://shop.example/api/auth"], "/api/auth")
    assert shown["callback_urls"] == {
        name: [f"https://shop.example/api/auth/callback/{name}"] for name in ("github", "google")
    }


def test_options_are_told_and_what_could_be_secret_is_not(app: Path) -> None:
    options = facts(app)["options"]
    expected = {
        "database": "postgresql://127.0.0.1:9/shop",
        "secondary_storage": "app.Storage",
        "social_providers": ["github", "google"],
        "trusted_origins": ["https://*.shop.example"],
        "additional_fields": {"user": ["nickname"]},
        "hooks": ["app.look"],
        "database_hooks": ["app.check"],
        "session.expires_in": 3600,
        "session.cookie_cache.strategy": "jwe",
        "email_and_password.send_reset_password": "functools.partial",
        "rate_limit.custom_rules": {"/ok": "2 in 1 s", "/error": False},
    }
    assert {name: options[name] for name in expected} == expected


def test_each_plugin_is_told_with_what_it_adds(app: Path) -> None:
    two_factor, username, captcha = facts(app)["plugins"]
    assert two_factor["endpoints"][0] == "POST /api/auth/two-factor/enable"
    assert two_factor["tables"]["twoFactor"][:2] == ["secret", "backupCodes"]
    assert two_factor["columns"] == {"user": ["twoFactorEnabled"]}
    assert two_factor["cookies"] == ["__Secure-better-auth.two_factor", "__Secure-better-auth.trust_device"]
    assert two_factor["hooks"] == ["before_session"]
    assert two_factor["rate_limits"] == {"/two-factor/*": "3 in 10 s"}
    assert "INVALID_CODE" in two_factor["errors"]
    assert two_factor["options"]["issuer"] == "[text]"
    assert two_factor["options"]["trust_device_max_age"] == 2_592_000
    assert two_factor["options"]["otp.digits"] == 8
    assert two_factor["options"]["otp.send_otp"] == "functools.partial"
    assert "otp" not in two_factor["options"]
    assert (username["extends"], username["hooks"]) == (
        ["/sign-up/email", "/update-user"],
        ["before /sign-up/email", "before /update-user", "before create of user", "before update of user"],
    )
    assert captcha["options"] == {
        "site_key": "[text]",
        "keys": ["[text]", 7],
        "by_host": "dict",
        "theme": "dark",
        "retries": 3,
    }


@requirement("F08")
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("name", ["auth", "leaking", "dynamic"])
def test_nothing_secret_is_ever_told(app: Path, name: str, form: Sequence[str]) -> None:
    done = portico("info", f"app:{name}", *form, cwd=app, **READY)
    assert (done.returncode, done.stderr) == (0, "")
    assert HUSH not in done.stdout
    assert ("Shop [redacted]" in done.stdout) == (name == "leaking")


def test_names_of_tables_and_cookies_are_those_of_this_auth(app: Path) -> None:
    [two_factor] = facts(app, "leaking")["plugins"]
    assert two_factor["tables"]["two_factor"][1] == "backup_codes"
    assert two_factor["endpoints"][0] == "POST /auth/two-factor/enable"


def test_every_host_of_a_dynamic_base_url_has_a_redirect_uri(app: Path) -> None:
    shown = facts(app, "dynamic")
    hosts = ("a.example", "*.b.example", "c.example")
    assert shown["callback_urls"]["github"] == [f"https://{host}/api/auth/callback/github" for host in hosts]
    assert shown["database"] == {"kind": "MemoryStore", "version": None}


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_the_server_says_its_version(app: Path, kind: Any) -> None:
    with database_on(kind) as server:
        (app / "database").write_text(server.url)
        shown = facts(app, "on_server")
    assert shown["database"].keys() == {"kind", "version"}
    assert re.search(r"\d+\.\d+", shown["database"]["version"])


def test_people_read_what_differs_from_the_defaults_and_no_file_is_made(app: Path) -> None:
    done = portico("info", "app:on_server", cwd=app, **READY)
    assert (done.returncode, done.stderr) == (0, "")
    given = done.stdout.partition("Options that were given\n")[2].splitlines()
    assert given == ["  database: sqlite:///app.db"]
    assert not (app / "app.db").exists()
