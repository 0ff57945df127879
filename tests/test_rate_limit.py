from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import anyio
import pytest

from app import ORIGIN, content, make, plain, signed_up
from portico import Auth, ConfigError, Context, Headers, Plugin, RateLimit, RateLimitOptions, Request, Status, endpoint
from portico.endpoints.sign_in import SignInEmail
from portico.rate_limit import MemoryRateLimits, Rule
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

LIMITED = RateLimitOptions(enabled=True)
JSON = ("content-type", "application/json")


def attempt(path: str = "/sign-in/email", peer: str = "203.0.113.7") -> Request:
    body = b'{"email":"ann@example.com","password":"wrong password"}'
    return Request(method="POST", path=f"/api/auth{path}", headers=Headers([JSON]), body=body, peer=peer)


def ask(path: str, peer: str = "203.0.113.7") -> Request:
    return Request(method="GET", path=f"/api/auth{path}", peer=peer)


async def statuses(auth: Auth[Any], *requests: Request) -> list[int]:
    return [(await auth.handler(request)).status for request in requests]


@requirement("B-53", "B-54", "S-171", "S-172")
async def test_the_fourth_sign_in_within_ten_seconds_has_to_wait() -> None:
    clock = Clock()
    auth = plain(rate_limit=LIMITED, clock=clock)
    assert await statuses(auth, *[attempt()] * 3) == [401] * 3
    clock.advance(4)
    refused = await auth.handler(attempt())
    assert (refused.status, content(refused)) == (429, {"message": "Too many requests. Please try again later."})
    assert refused.headers == (("content-type", "application/json"), ("x-retry-after", "6"), ("retry-after", "6"))
    assert await statuses(auth, attempt(peer="203.0.113.8"), attempt("/sign-up/email")) == [401, 400]


@requirement("B-54", "S-171")
@pytest.mark.parametrize("path", ["/two-factor/verify-totp", "/two-factor/verify-backup-code", "/two-factor/enable"])
async def test_the_fourth_second_step_within_ten_seconds_has_to_wait(path: str) -> None:
    clock = Clock()
    auth = make(clock, rate_limit=LIMITED)
    answered = await statuses(auth, *[attempt(path)] * 4)
    assert answered[3] == 429
    assert 429 not in answered[:3]
    clock.advance(11)
    assert await statuses(auth, attempt(path)) == answered[:1]


@requirement("B-55")
async def test_a_window_starts_anew_with_each_allowed_request_and_ends_after_a_quiet_one() -> None:
    clock = Clock()
    auth = plain(rate_limit=LIMITED, clock=clock)
    for _ in range(3):
        assert await statuses(auth, attempt()) == [401]
        clock.advance(9)
    assert await statuses(auth, attempt()) == [429]
    clock.advance(2)
    assert await statuses(auth, attempt()) == [401]


@requirement("B-54", "S-168")
async def test_other_paths_have_a_hundred_in_ten_seconds() -> None:
    auth = plain(rate_limit=LIMITED, clock=Clock())
    assert await statuses(auth, *[ask("/ok")] * 101) == [200] * 100 + [429]


@requirement("S-169", "B-54")
async def test_custom_rules_come_last_and_may_be_off() -> None:
    rules: dict[str, Rule] = {
        "/sign-in/*": RateLimit(window=10, max=1),
        "/ok": False,
        "/get-**": RateLimit(window=5, max=2),
    }
    auth = plain(rate_limit=RateLimitOptions(enabled=True, max=3, custom_rules=rules), clock=Clock())
    assert await statuses(auth, attempt(), attempt()) == [401, 429]
    assert await statuses(auth, *[ask("/ok")] * 5) == [200] * 5
    assert await statuses(auth, *[ask("/get-session")] * 3) == [200, 200, 429]


@dataclass(frozen=True, kw_only=True, eq=False)
class Guarded(Plugin):
    id: ClassVar[str] = "guarded"
    limits = MappingProxyType({"/guarded/*": RateLimit(window=60, max=2)})

    @endpoint("GET", "/guarded/look")
    async def look(self, ctx: Context) -> Status:
        """Look."""
        return Status(status=True)

    @endpoint("GET", "/guarded/touch", limit=RateLimit(window=60, max=1))
    async def touch(self, ctx: Context) -> Status:
        """Touch."""
        return Status(status=True)


@requirement("B-54")
async def test_a_plugin_limits_its_paths_and_an_endpoint_itself() -> None:
    auth = plain(Guarded(), rate_limit=LIMITED, clock=Clock())
    assert await statuses(auth, *[ask("/guarded/look")] * 3) == [200, 200, 429]
    assert await statuses(auth, *[ask("/guarded/touch")] * 2) == [200, 429]


@requirement("ARCH-routes", "S-169")
async def test_an_alias_shares_the_bucket_of_its_canonical_route() -> None:
    rules = {"/username/is-available": RateLimit(window=10, max=1)}
    auth = make(rate_limit=RateLimitOptions(enabled=True, custom_rules=rules))
    other = Request(method="GET", path="/api/auth/username/is-available", query="username=bob", peer="203.0.113.7")
    canonical = Request(
        method="POST",
        path="/api/auth/is-username-available",
        headers=Headers([JSON]),
        body=b'{"username":"bob"}',
        peer="203.0.113.7",
    )
    assert await statuses(auth, other, canonical) == [200, 429]


@requirement("B-53", "L01")
async def test_clients_without_an_address_share_a_bucket() -> None:
    auth = plain(rate_limit=LIMITED, clock=Clock())
    forged = [attempt(peer=peer) for peer in ("", "unknown", "x")]
    assert await statuses(auth, *forged, attempt(peer="")) == [401, 401, 401, 429]


@requirement("L02")
async def test_of_forty_requests_at_once_three_are_allowed() -> None:
    auth = plain(rate_limit=LIMITED, clock=Clock())
    seen: list[int] = []

    async def one() -> None:
        seen.append((await auth.handler(attempt())).status)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(one)
    assert (seen.count(401), seen.count(429)) == (3, 37)


@requirement("S-144", "B-76")
async def test_a_server_call_is_never_limited() -> None:
    auth = plain(rate_limit=LIMITED, clock=Clock())
    await signed_up(auth)
    for _ in range(1000):
        await auth.api.sign_in_email(None, SignInEmail(email="ann@example.com", password="password123"))
    # Nor does it use up what clients have.
    assert await statuses(auth, *[attempt()] * 4) == [401] * 3 + [429]


@requirement("B-57", "S-168")
async def test_limits_are_on_in_production_which_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTICO_ENV", raising=False)
    assert plain(rate_limit=RateLimitOptions()).handler.compiled["/ok"].limit == RateLimit(window=10, max=100)
    monkeypatch.setenv("PORTICO_ENV", "development")
    assert plain(rate_limit=RateLimitOptions()).handler.compiled["/ok"].limit is None


@requirement("CONF-limits")
def test_a_limit_that_nobody_can_meet_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="a rate limit needs"):
        plain(rate_limit=RateLimitOptions(enabled=True, max=0))
    with pytest.raises(ConfigError, match="no endpoint has the path '/sign-im/email'"):
        plain(rate_limit=RateLimitOptions(custom_rules={"/sign-im/email": False}))


@requirement("L02")
async def test_the_memory_forgets_quiet_clients_first_and_never_grows_past_its_capacity() -> None:
    counts, limit = MemoryRateLimits(capacity=100), RateLimit(window=10, max=1)
    for number in range(100):
        await counts.consume(f"old{number}", limit, now=0.0)
    await counts.consume("new", limit, now=20.0)
    assert await counts.consume("new", limit, now=21.0) == 9
    for number in range(500):
        await counts.consume(f"flood{number}", limit, now=22.0)
    assert await counts.consume("flood499", limit, now=22.0) == 10


@requirement("L02")
async def test_a_client_who_has_to_wait_is_not_forgotten_for_a_new_one() -> None:
    counts, limit = MemoryRateLimits(capacity=4), RateLimit(window=10, max=1)
    for number in range(3):
        await counts.consume(f"quiet{number}", limit, now=0.0)
    await counts.consume("waiting", limit, now=1.0)
    # Ten seconds after the last request its window is still closed, and a moment later it is not.
    assert await counts.consume("new", limit, now=11.0) is None
    assert await counts.consume("waiting", limit, now=11.0) == 1
    assert await counts.consume("waiting", limit, now=11.1) is None


@requirement("C07")
async def test_the_host_header_changes_nothing() -> None:
    auth = plain()
    browser = await signed_up(auth)
    evil = Headers([("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("origin", "https://evil.example")])
    request = Request(
        method="POST", path="/api/auth/sign-out", headers=evil.replaced("cookie", browser.headers["cookie"])
    )
    refused = await auth.handler(request)
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert (auth.site.url, await auth.api.get_session(browser.headers) is None) == (f"{ORIGIN}/api/auth", False)
