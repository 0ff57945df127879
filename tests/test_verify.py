"""Sessions proved by their cookies alone, as a service without database and Auth does it."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import SECRET, plain, signed_up
from portico import AdvancedOptions, Auth, CookieCacheOptions, SessionOptions
from portico.cookies import CookieOverride
from portico.testing import Browser, Clock
from portico.verify import SessionVerifier, Strategy, VerifiedSession, get_cookie_cache, get_session_cookie
from requirements import requirement

pytestmark = pytest.mark.anyio
OTHER = "another-secret-0123456789-abcdefghijklmnop"


@dataclass
class Incoming:
    """A request of some framework."""

    headers: dict[str, str]


def caching(clock: Clock, strategy: Strategy = "compact", **options: Any) -> Auth[Any]:
    cache = CookieCacheOptions(enabled=True, strategy=strategy)
    return plain(session=SessionOptions(cookie_cache=cache), clock=clock, **options)


async def sent_by_ann(auth: Auth[Any]) -> dict[str, str]:
    return {"cookie": (await signed_up(auth)).headers["cookie"]}


def verifier(clock: Clock, strategy: Strategy = "compact", **options: Any) -> SessionVerifier:
    given: dict[str, Any] = {"secret": SECRET, **options}
    return SessionVerifier(strategy=strategy, clock=clock, **given)


@requirement("S-239")
@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
@pytest.mark.parametrize("base_url", ["http://localhost:3000", "https://auth.example.com"])
async def test_a_session_is_proved_by_its_cookies(strategy: Strategy, base_url: str) -> None:
    clock = Clock()
    auth = caching(clock, strategy, base_url=base_url)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in (await _cookies(auth)).items())}
    found = verifier(clock, strategy).verify(Incoming(headers))
    assert isinstance(found, VerifiedSession)
    assert (found.user["email"], found.version) == ("ann@example.com", "1")
    assert found.updated_at == clock().replace(microsecond=678_000)
    assert found.session["userId"] == found.user["id"]


@requirement("S-239", "S06")
@pytest.mark.parametrize("base_url", ["http://localhost:3000", "https://auth.example.com"])
async def test_cookies_may_have_names_of_the_applications_own(base_url: str) -> None:
    clock = Clock()
    named: dict[str, CookieOverride] = {
        "session_token": {"name": "sid", "path": "/app"},
        "session_data": {"name": "copy", "secure": True},
    }
    auth = caching(clock, base_url=base_url, advanced=AdvancedOptions(cookies=named))
    sent = await _cookies(auth)
    assert {name.removeprefix("__Secure-") for name in sent} == {"sid", "copy"}
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in sent.items())}
    found = verifier(clock, cookies=named).verify(headers)
    assert found is not None
    assert found.user["email"] == "ann@example.com"
    assert verifier(clock).verify(headers) is None
    token = get_session_cookie(headers, cookies=named)
    assert (token, get_session_cookie(headers)) == (auth.signer.sign(found.session["token"]), None)


async def _cookies(auth: Auth[Any]) -> dict[str, str]:
    browser = Browser(auth, auth.site.origin)
    await browser.post("/sign-up/email", {"name": "Ann", "email": "ann@example.com", "password": "password123"})
    return browser.cookies


@requirement("S-239", "S-165")
async def test_a_copy_is_believed_until_it_is_stale_and_no_longer() -> None:
    clock = Clock()
    headers = await sent_by_ann(caching(clock))
    clock.advance(299)
    assert verifier(clock).verify(headers) is not None
    clock.advance(1)
    assert verifier(clock).verify(headers) is None


@requirement("S-239", "S02")
async def test_nobody_else_can_make_one() -> None:
    clock = Clock()
    headers = await sent_by_ann(caching(clock))
    forged = await sent_by_ann(caching(clock, secret=OTHER))
    assert verifier(clock).verify(forged) is None
    assert verifier(clock, secret=OTHER).verify(headers) is None
    assert verifier(clock).verify({"cookie": headers["cookie"].replace("session_data=", "session_data=e")}) is None
    assert verifier(clock).verify({}) is None


@requirement("S-239")
@pytest.mark.parametrize("ends", [None, 5, "never", "", "2029-12-31T00:00:00.000Z", "2030-01-02T03:04:05"], ids=str)
async def test_a_genuine_copy_of_a_session_that_does_not_end_later_proves_nothing(ends: object) -> None:
    clock = Clock()
    auth = caching(clock)
    browser = await signed_up(auth)
    session = await auth.api.get_session(browser.headers)
    assert auth.session_cache is not None
    written = {**session.session.to_wire(), "expiresAt": ends}
    now = int(clock().timestamp() * 1000)
    copy = auth.session_cache.encode(written, session.user.to_wire(), now, "1", remember=True)
    browser.cookies["better-auth.session_data"] = copy
    assert verifier(clock).verify(browser) is None


@requirement("S-239", "S07")
async def test_a_copy_of_another_session_proves_nothing() -> None:
    clock = Clock()
    auth = caching(clock)
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    mixed = {**ann.cookies, "better-auth.session_token": bob.cookies["better-auth.session_token"]}
    assert verifier(clock).verify({"cookie": "; ".join(f"{name}={value}" for name, value in mixed.items())}) is None


@requirement("S-239", "S-159")
async def test_versions_and_retired_secrets_are_as_the_server_has_them() -> None:
    clock = Clock()
    headers = await sent_by_ann(caching(clock))
    assert verifier(clock, version="2").verify(headers) is None
    assert verifier(clock, version="1").verify(headers) is not None
    numbers = {"Ann": "1"}

    def version(session: Mapping[str, Any], user: Mapping[str, Any]) -> str:
        assert session["userId"] == user["id"]
        return numbers[user["name"]]

    assert verifier(clock, version=version).verify(headers) is not None
    numbers["Ann"] = "2"
    assert verifier(clock, version=version).verify(headers) is None
    rotated = SessionVerifier(secrets=[(2, OTHER), (1, SECRET)], clock=clock)
    assert rotated.verify(headers) is not None


@requirement("S-239")
async def test_the_plain_functions_do_the_same_for_one_request() -> None:
    auth = caching(Clock())
    headers = await sent_by_ann(auth)
    found = get_cookie_cache(headers, SECRET)
    assert found is not None
    assert found.user["email"] == "ann@example.com"
    assert get_cookie_cache(headers, OTHER) is None
    assert get_session_cookie(headers) == get_session_cookie(Incoming(headers)) != ""
    assert get_session_cookie({"cookie": "__Secure-better-auth.session_token=s; better-auth.session_token=p"}) == "s"
    assert get_session_cookie({"cookie": "better-auth.session_token="}) is None
    assert get_session_cookie({}) is None


@requirement("S-239")
def test_importing_it_loads_nothing_of_a_server() -> None:
    code = "import sys, portico.verify; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    assert not set(run.stdout.split()) & {"anyio", "argon2", "cryptography", "joserfc", "pydantic", "sqlalchemy"}
