import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.running import portico
from portico import (
    AccountOptions,
    AdvancedOptions,
    Auth,
    ChangeEmail,
    CookieCacheOptions,
    DynamicBaseURL,
    EmailAndPassword,
    EmailVerification,
    GenericOAuth,
    MemorySecondaryStorage,
    RateLimit,
    RateLimitOptions,
    Request,
    SessionOptions,
    UserOptions,
)
from portico.cli.doctor.command import findings
from portico.cli.doctor.finding import Examined, Finding, Outcome, Probed
from portico.configuration import DEVELOPMENT_SECRET
from portico.plugins.two_factor import TwoFactor
from requirements import requirement

pytestmark = requirement("S-274", "S-257")

SECRET = "hush-hush-0123456789-abcdefghijklm-SECRET"
"""Occurs in no finding."""


async def post(mail: Any, request: Request | None) -> None: ...


def by_request(request: Request | None) -> list[str]:
    return ["https://a.example"]


class Plain:
    """A storage of three methods."""

    def __init__(self) -> None:
        whole = MemorySecondaryStorage()
        self.get, self.set, self.delete = whole.get, whole.set, whole.delete


class Whole(Plain):
    def __init__(self) -> None:
        super().__init__()
        whole = MemorySecondaryStorage()
        self.get_and_delete, self.increment = whole.get_and_delete, whole.increment


READY: dict[str, Any] = {
    "secret": SECRET,
    "base_url": "https://shop.example",
    "security": "strict",
    "database": "postgresql://shop:hush-hush@db.example/shop",
    "email_and_password": EmailAndPassword(enabled=True, require_email_verification=True, send_reset_password=post),
    "email_verification": EmailVerification(send_verification_email=post),
    "trusted_origins": ["https://admin.shop.example", "shopapp://"],
    "advanced": AdvancedOptions(trusted_proxies=["10.0.0.0/16"]),
    "rate_limit": RateLimitOptions(storage="database"),
    "plugins": [TwoFactor()],
}
"""As it should be in production."""


@pytest.fixture(autouse=True)
def _production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORTICO_ENV", "BETTER_AUTH_TRUSTED_ORIGINS", "BETTER_AUTH_URL", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def examined(
    environment: Mapping[str, str] | None = None, probed: Probed | None = None, **options: Any
) -> list[Finding]:
    auth: Auth[Any] = Auth(**{**READY, **options})
    return findings(Examined(auth=auth, target="app:auth", environment=environment or {}, probed=probed or Probed()))


def test_an_auth_that_is_ready_passes_every_item() -> None:
    found = examined()
    assert [each for each in found if each.outcome != "pass"] == []
    assert len({each.id for each in found}) == len(found)
    assert all(each.says and not each.remedy for each in found)


def advanced(**options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"trusted_proxies": ["10.0.0.0/16"], **options}
    return {"advanced": AdvancedOptions(**given)}


def password(**options: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"enabled": True, "require_email_verification": True, "send_reset_password": post}
    return {"email_and_password": EmailAndPassword(**{**defaults, **options})}


def session(**options: Any) -> dict[str, Any]:
    return {"session": SessionOptions(**options)}


def limits(**options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"storage": "database", **options}
    return {"rate_limit": RateLimitOptions(**given)}


def dynamic(*hosts: str, **options: Any) -> dict[str, Any]:
    return {"base_url": DynamicBaseURL(allowed_hosts=hosts, **options)}


HTTP = {"base_url": "http://shop.example"}
GITHUB = GenericOAuth(id="github", client_id="id", client_secret="hush-hush", token_url="https://github.example")
ANY_HOST = advanced(trusted_proxies=(), trusted_proxy_headers=True)
LOOSE: Sequence[tuple[str, Outcome, Mapping[str, Any]]] = [
    ("secret-length", "fail", {"secret": "hush-hush-short"}),
    ("secret-length", "fail", {"secrets": [(2, SECRET), (1, "hush-hush-short")]}),
    ("secret-entropy", "fail", {"secret": "hush-hush" * 4}),
    ("secret-rotation", "pass", {"secrets": [(2, SECRET), (1, SECRET[::-1])]}),
    ("base-url-https", "fail", HTTP),
    ("base-url-https", "fail", {"base_url": "http://localhost:3000"}),
    ("base-url-https", "fail", dynamic("*.shop.example", protocol="http")),
    ("base-url-https", "fail", dynamic("localhost:*", "127.0.0.1", "[::1]:*")),
    ("base-url-https", "warn", dynamic("*.shop.example")),
    ("base-url-https", "pass", dynamic("*.shop.example", protocol="https")),
    ("trusted-origins-https", "fail", {"trusted_origins": ["http://shop.example", "http://localhost:1"]}),
    ("trusted-origins-https", "warn", {"trusted_origins": ["http://localhost:3000"]}),
    ("trusted-origins-wildcards", "warn", {"trusted_origins": ["https://*.shop.example"]}),
    ("trusted-origins-wildcards", "fail", {"trusted_origins": ["https://*"]}),
    ("trusted-origins-wildcards", "fail", {"trusted_origins": ["*.com"]}),
    ("trusted-origins-slashes", "warn", {"trusted_origins": ["https://admin.shop.example/"]}),
    ("trusted-origins-slashes", "fail", {"trusted_origins": ["https://*.shop.example/"]}),
    ("trusted-origins-function", "pass", {"trusted_origins": by_request}),
    ("proxies-named", "warn", {"advanced": AdvancedOptions()}),
    ("proxies-narrow", "fail", advanced(trusted_proxies=["0.0.0.0/0"])),
    ("proxies-narrow", "fail", advanced(trusted_proxies=["10.0.0.1", "::/0"])),
    ("proxy-headers", "warn", ANY_HOST),
    ("proxy-headers", "fail", {**dynamic("*.shop.example", protocol="https"), **ANY_HOST}),
    ("proxy-headers", "pass", advanced(trusted_proxy_headers=True)),
    ("rate-limit-on", "fail", limits(enabled=False)),
    ("rate-limit-on", "fail", advanced(disable_ip_tracking=True)),
    ("rate-limit-doors", "fail", limits(custom_rules={"/sign-in/email": False})),
    ("rate-limit-doors", "fail", limits(custom_rules={"/two-factor/*": False})),
    ("rate-limit-doors", "pass", limits(custom_rules={"/ok": False, "/sign-in/email": RateLimit(window=1, max=1)})),
    ("rate-limit-shared", "warn", limits(storage="memory")),
    ("rate-limit-shared", "fail", {**limits(storage="memory"), "environment": {"WEB_CONCURRENCY": "4"}}),
    ("rate-limit-shared", "warn", {**limits(storage=None), "secondary_storage": Plain()}),
    ("rate-limit-shared", "pass", {**limits(storage=None), "secondary_storage": Whole()}),
    ("csrf-check", "fail", advanced(disable_csrf_check=True)),
    ("csrf-check", "fail", advanced(disable_origin_check=True)),
    ("csrf-check", "pass", advanced(disable_origin_check=True, disable_csrf_check=False)),
    ("origin-check", "fail", advanced(disable_origin_check=True)),
    ("origin-check", "warn", advanced(disable_origin_check=["/sign-in"])),
    ("cookies-secure", "fail", HTTP),
    ("cookies-secure", "fail", advanced(use_secure_cookies=False)),
    ("cookies-http-only", "fail", advanced(cookie_attributes={"http_only": False})),
    ("cookies-http-only", "warn", advanced(cookies={"two_factor": {"http_only": False}})),
    ("cookies-same-site", "warn", advanced(cookie_attributes={"same_site": "none"})),
    ("cookies-same-site", "warn", advanced(cookies={"session_token": {"same_site": None}})),
    ("cookies-same-site", "pass", advanced(cookie_attributes={"same_site": "strict"})),
    ("cookies-domain", "warn", advanced(cross_subdomain_cookies=True)),
    ("session-fresh-age", "warn", session(fresh_age=0)),
    ("session-update-age", "warn", session(update_age=3601, fresh_age=3600)),
    ("session-update-age", "pass", session(update_age=3600, fresh_age=3600)),
    ("session-renewal", "fail", session(expires_in=86400)),
    ("session-renewal", "pass", session(expires_in=86400, disable_session_refresh=True)),
    ("cookie-cache-encryption", "warn", session(cookie_cache=CookieCacheOptions(enabled=True, strategy="jwt"))),
    ("cookie-cache-encryption", "pass", session(cookie_cache=CookieCacheOptions(enabled=True))),
    ("cookie-cache-age", "warn", session(cookie_cache=CookieCacheOptions(enabled=True, max_age=7200))),
    (
        "cookie-cache-age",
        "pass",
        session(cookie_cache=CookieCacheOptions(enabled=True, max_age=7200, instant_revocation=True)),
    ),
    ("cookie-cache-age", "warn", {"database": None, **limits(storage="memory")}),
    (
        "oauth-tokens-encrypted",
        "warn",
        {"social_providers": [GITHUB], "account": AccountOptions(encrypt_oauth_tokens=False)},
    ),
    ("oauth-tokens-encrypted", "pass", {"social_providers": [GITHUB]}),
    ("security-strict", "warn", {"security": "default"}),
    ("security-strict", "warn", {"account": AccountOptions(encrypt_oauth_tokens=False)}),
    ("mail-verification", "fail", {"email_verification": EmailVerification()}),
    (
        "mail-verification",
        "fail",
        {**password(require_email_verification=False), "email_verification": EmailVerification(send_on_sign_in=True)},
    ),
    (
        "mail-verification",
        "fail",
        {
            **password(require_email_verification=False),
            "email_verification": EmailVerification(),
            "user": UserOptions(change_email=ChangeEmail(enabled=True)),
        },
    ),
    ("mail-reset", "warn", password(send_reset_password=None)),
    ("mail-reset", "pass", {"email_and_password": EmailAndPassword()}),
    ("mail-proof", "warn", password(require_email_verification=False)),
    ("mail-change", "warn", {"user": UserOptions(change_email=ChangeEmail(enabled=True))}),
    ("database-durable", "warn", {"database": None, **limits(storage="memory")}),
    ("database-reachable", "fail", {"probed": Probed(database_problem="ConnectionRefusedError")}),
    ("database-schema", "fail", {"probed": Probed(missing=["session", "user.image"])}),
    ("database-fits", "fail", {"probed": Probed(in_the_way=["user.email must be unique"])}),
    ("secondary-storage-reachable", "fail", {"secondary_storage": Whole(), "probed": Probed(secondary_problem="X")}),
    ("secondary-storage-reachable", "pass", {"secondary_storage": Whole()}),
    ("secondary-storage-shared", "fail", {"secondary_storage": MemorySecondaryStorage()}),
    ("secondary-storage-shared", "warn", {"secondary_storage": Plain()}),
    ("secondary-storage-shared", "pass", session(storage=Whole())),
]
ELSEWHERE = {"environment", "secret-published"}
"""Items that only another mode finds."""


@requirement("S-275", "F08")
@pytest.mark.parametrize(("name", "outcome", "options"), LOOSE)
def test_what_is_loose_is_found_with_a_remedy(name: str, outcome: Outcome, options: Mapping[str, Any]) -> None:
    found = examined(**options)
    [finding] = [each for each in found if each.id == name]
    assert finding.outcome == outcome
    assert bool(finding.remedy) == (outcome != "pass")
    assert "hush" not in repr(found)


def test_every_item_that_can_pass_can_also_not_pass() -> None:
    loose = {name for name, outcome, _ in LOOSE if outcome != "pass"} | ELSEWHERE
    assert {each.id for each in examined(secondary_storage=Whole())} == loose


@pytest.mark.parametrize("mode", ["development", "test"])
def test_another_mode_than_production_is_found(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTICO_ENV", mode)
    environment = {"PORTICO_ENV": mode}
    found = {each.id: each for each in examined(environment, secret=DEVELOPMENT_SECRET, rate_limit=RateLimitOptions())}
    outcomes = {name: found[name].outcome for name in ("environment", "secret-published", "rate-limit-on")}
    assert outcomes == {"environment": "warn", "secret-published": "fail", "rate-limit-on": "fail"}
    assert DEVELOPMENT_SECRET not in repr(found)


def test_origins_of_the_environment_are_looked_at() -> None:
    found = examined({"BETTER_AUTH_TRUSTED_ORIGINS": "https://a.example,http://b.example"})
    [finding] = [each for each in found if each.outcome != "pass"]
    assert (finding.id, finding.outcome, "http://b.example" in finding.says) == ("trusted-origins-https", "fail", True)


APP = """
from portico import *

async def post(mail, request): ...

class Broken:
    async def get(self, *given): raise ConnectionRefusedError("redis://:hush-hush@cache")
    set = delete = get_and_delete = increment = get

ready = dict(
    base_url="https://shop.example",
    security="strict",
    database="sqlite:///app.db",
    email_and_password=EmailAndPassword(enabled=True, require_email_verification=True, send_reset_password=post),
    email_verification=EmailVerification(send_verification_email=post),
    advanced=AdvancedOptions(trusted_proxies=["10.0.0.1"]),
)
auth = Auth(**ready, rate_limit=RateLimitOptions(storage="database"))
careless = Auth(**ready)
away = Auth(**{**ready, "database": "postgresql://me:hush-hush@127.0.0.1:9/x"}, secondary_storage=Broken())
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def checked(app: Path, *arguments: str) -> tuple[int, str]:
    done = portico("doctor", *arguments, cwd=app, BETTER_AUTH_SECRET=SECRET)
    assert done.stderr == ""
    assert "hush" not in done.stdout
    return done.returncode, done.stdout


@requirement("ARCH-commands")
def test_the_exit_code_tells_a_failure_and_with_strict_a_warning(app: Path) -> None:
    code, said = checked(app, "app:auth")
    assert (code, "fail  database-schema: the database lacks user, session" in said) == (1, True)
    assert "      portico migrate app:auth\n" in said
    assert portico("migrate", "app:auth", cwd=app, BETTER_AUTH_SECRET=SECRET).returncode == 0

    code, said = checked(app, "app:auth", "--strict")
    assert (code, said.splitlines()[-1].partition(" ")[2]) == (0, "pass, 0 warn, 0 fail")
    code, said = checked(app, "app:careless")
    assert (code, said.splitlines()[-1].partition(" ")[2]) == (0, "pass, 1 warn, 0 fail")
    assert checked(app, "app:careless", "--strict")[0] == 1


@requirement("ARCH-commands")
def test_json_holds_every_finding(app: Path) -> None:
    code, said = checked(app, "app:away", "--json")
    shown = json.loads(said)
    assert (code, shown["counts"]["fail"]) == (1, 2)
    failed = {each["id"]: each["says"] for each in shown["findings"] if each["outcome"] == "fail"}
    assert failed == {
        "database-reachable": "the database does not answer: PostgreSQL is not available: ConnectionRefusedError",
        "secondary-storage-reachable": "secondary storage does not work: ConnectionRefusedError",
    }
    assert all(each.keys() == {"id", "outcome", "says", "remedy"} for each in shown["findings"])


@requirement("ARCH-commands")
def test_an_auth_that_cannot_be_built_is_a_mistake(app: Path) -> None:
    done = portico("doctor", "app:auth", cwd=app)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("portico: there is no secret")


def test_the_doctor_changes_nothing(app: Path) -> None:
    checked(app, "app:auth")
    database = sqlite3.connect(app / "app.db")
    assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    database.close()
