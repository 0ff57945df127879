"""Databases that older releases of upstream made open, work, and are upgraded with nothing lost."""

import json
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app import SECRET, content, plain
from parity.servers import HERE
from plugins.second_step import ASKED, totp_of
from portico import Auth, ConfigError, RateLimitOptions
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from portico.testing import Browser
from requirements import requirement
from store.places import OWN, Place, place_at

pytestmark = [pytest.mark.anyio, requirement("S-155", "ARCH-migrate", "ARCH-formats")]

OLD = HERE / "old"
BASE_URL = "http://localhost:4000"
RELEASES: Mapping[str, Path] = {
    **{name: OLD / name for name in ("1.3", "1.4", "1.6", "1.7")},
    "1.7.24": HERE,
}
TWO_FACTOR = ["twoFactor.verified", "twoFactor.failedVerificationCount", "twoFactor.lockedUntil"]
INDEXES = ["session_userId_idx", "account_userId_idx", "verification_identifier_idx"]
OF_TWO_FACTOR = ["twoFactor_secret_idx", "twoFactor_userId_idx"]
PENDING: Mapping[str, list[str]] = {
    "1.3": [*TWO_FACTOR, *INDEXES, "rateLimit_key_uidx", *OF_TWO_FACTOR],
    "1.4": [*TWO_FACTOR, "rateLimit_key_uidx"],
    "1.6": TWO_FACTOR,
    "1.7": ["account.issuer that may be NULL"],
    "1.7.24": [],
}
"""What each release lacks; on MySQL, the first two have a key without a limit as well."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def upstream(release: str, place: Place, **further: str) -> dict[str, str]:
    """Let a release make the database, or somebody new sign up there."""
    url = place.url
    if place.kind == "sqlite":
        url = f"sqlite:///{place.file}"
    folder = RELEASES[release]
    assert (folder / "node_modules").is_dir(), f"NOT CHECKED: run `npm ci` in {folder}, or `nox -s parity`"
    done = subprocess.run(
        ["node", "--input-type=module"],
        input=(OLD / "make.mjs").read_text("utf-8"),
        cwd=folder,
        env={
            **os.environ,
            "DATABASE": url,
            "DRIVERS": str(OLD / "drivers"),
            "SECRET": SECRET,
            "BASE_URL": BASE_URL,
            "BETTER_AUTH_TELEMETRY": "0",
            **further,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return said


def over(place: Place, **options: Any) -> Auth[Any]:
    return plain(
        Username(),
        TwoFactor(issuer="Acme"),
        database=place.database,
        base_url=BASE_URL,
        **{"rate_limit": RateLimitOptions(enabled=True, max=1000, storage="database"), **options},
    )


def visitor(auth: Auth[Any], cookie: str) -> Browser:
    return Browser(auth, BASE_URL, dict([cookie.split("=", 1)]))


@pytest.fixture(params=OWN)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Place, None]:
    async with place_at(request.param, tmp_path) as made:
        yield made


async def kept(place: Place) -> list[tuple[Any, ...]]:
    """Return what must still be there after the upgrade."""
    return [
        *await place.fetch(
            'select "id", "name", "email", "username", "createdAt", "twoFactorEnabled" from "user" order by 1'
        ),
        *await place.fetch('select "id", "token", "userId", "expiresAt" from "session" order by 1'),
        *await place.fetch('select "id", "accountId", "providerId", "password" from "account" order by 1'),
        *await place.fetch('select "id", "secret", "backupCodes", "userId" from "twoFactor" order by 1'),
    ]


async def signed_in(auth: Auth[Any], path: str, name: str, value: str) -> tuple[Browser, Any]:
    browser = Browser(auth, BASE_URL)
    reply = await browser.post(path, {name: value, "password": "password123"})
    assert reply.status == 200, reply.body
    return browser, content(reply)


@pytest.mark.parametrize("release", RELEASES)
async def test_a_database_of_an_older_release_opens_works_and_is_upgraded(release: str, place: Place) -> None:
    made = upstream(release, place)
    assert len(await kept(place)) == 7
    if release != "1.7":
        await check_core(place, made["cookie"])
    before = await kept(place)
    auth = over(place)
    planned = await auth.plan_schema()
    limited = place.kind == "mysql" and "rateLimit_key_uidx" in PENDING[release]
    lacking = [*(["rateLimit.key as varchar(255)"] if limited else []), *PENDING[release]]
    if place.kind == "mysql":
        # MariaDB makes an index for each foreign key.
        lacking = [name for name in lacking if not name.endswith("_userId_idx")]
    assert (sorted(planned.names), planned.refusals) == (sorted(lacking), [])
    if any("." in name for name in PENDING[release]):
        with pytest.raises(ConfigError, match=r"the database lacks .*portico migrate"):
            await auth.start()

    assert await auth.create_schema() == planned.names
    assert (await auth.plan_schema()).is_done
    assert await kept(place) == before
    await auth.start()

    ann = visitor(auth, made["cookie"])
    assert content(await ann.get("/get-session"))["user"]["email"] == "ann@example.com"
    _, by_name = await signed_in(auth, "/sign-in/username", "username", "ann")
    assert by_name["user"]["email"] == "ann@example.com"
    ben, asked = await signed_in(auth, "/sign-in/email", "email", "ben@example.com")
    assert asked == ASKED
    code = totp_of(made).at(int(time.time()))
    assert (await ben.post("/two-factor/verify-totp", {"code": code})).status == 200
    assert content(await ben.get("/get-session"))["user"]["twoFactorEnabled"] is True
    cat = Browser(auth, BASE_URL)
    body = {"name": "Cat", "username": "cat", "email": "cat@example.com", "password": "password123"}
    assert (await cat.post("/sign-up/email", body)).status == 200
    wrong = {"email": "ann@example.com", "password": "password124"}
    assert (await Browser(auth, BASE_URL).post("/sign-in/email", wrong)).status == 401

    await auth.close()
    if place.kind == "sqlite" or release == "1.7":
        await check_release(release, place)


async def check_release(release: str, place: Place) -> None:
    """See that the release goes on beside us."""
    auth = over(place)
    dan = visitor(auth, upstream(release, place, VISITOR="Dan")["cookie"])
    assert content(await dan.get("/get-session"))["user"]["email"] == "dan@example.com"
    assert (await dan.post("/sign-out")).status == 200
    await auth.close()


async def check_core(place: Place, cookie: str) -> None:
    """See that what the core needs is there already: nothing is created, and everything works."""
    before = await place.schema()
    auth = plain(database=place.database, base_url=BASE_URL)
    await auth.start()
    ann = visitor(auth, cookie)
    assert content(await ann.get("/get-session"))["user"]["name"] == "Ann"
    again, _ = await signed_in(auth, "/sign-in/email", "email", "ann@example.com")
    assert len(content(await again.get("/list-sessions"))) == 2
    assert (await again.post("/sign-out")).status == 200
    body = {"name": "Eve", "email": "eve@example.com", "password": "password123"}
    eve = Browser(auth, BASE_URL)
    assert (await eve.post("/sign-up/email", body)).status == 200
    await auth.close()
    assert await place.schema() == before
