"""Who counts as whom: one client stays one, however it spells itself, and two stay two."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from app import ORIGIN
from portico import AdvancedOptions, RateLimitOptions
from requirements import requirement
from threats.everything import Site, everything

pytestmark = [pytest.mark.anyio, requirement("L01")]

LIMIT = 3
"""What `/sign-in/*` allows in ten seconds."""
FORWARDED = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-host",
    "via",
]
Sender = tuple[str, dict[str, str]]
"""The address of the other end, and the headers."""


def site(*, proxies: Iterable[str] = ()) -> Site:
    advanced = AdvancedOptions(trusted_proxies=list(proxies))
    return everything(rate_limit=RateLimitOptions(enabled=True), advanced=advanced)


async def allowed(site: Site, senders: Iterable[Sender]) -> int:
    """Return how many guesses were looked at."""
    [door] = [door for door in site.doors if str(door) == "POST /sign-in/email"]
    body = {"email": "ann@example.com", "password": "wrong password"}
    statuses: list[int] = []
    for peer, headers in senders:
        request = door.request(("origin", ORIGIN), *headers.items(), body=body)
        statuses.append((await site.answer(replace(request, peer=peer))).status)
    assert set(statuses) <= {401, 429}
    return statuses.count(401)


@pytest.mark.parametrize("header", FORWARDED)
async def test_a_client_that_writes_addresses_into_headers_stays_one(header: str) -> None:
    forms = ["198.51.100.{}", "198.51.100.{}, 203.0.113.7", "203.0.113.7, 198.51.100.{}", "for=198.51.100.{}"]
    values = [form.format(number) for number in range(5) for form in forms]
    assert await allowed(site(), [("203.0.113.7", {header: value}) for value in values]) == LIMIT


@pytest.mark.parametrize(
    "peers",
    [
        ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:203.0.113.7", "::ffff:cb00:7107", "0:0:0:0:0:ffff:203.0.113.7"],
        ["2001:db8::1", "2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0::1", "2001:db8::0:1"],
        [f"2001:db8:0:1:{number:x}::{number}" for number in range(8)],
        [f"fe80::1%eth{number}" for number in range(8)],
        ["", "unknown", "localhost", "203.0.113", "203.0.113.7.8", "203.0.113.0x7", "1e3", "\u0661.2.3.4", "-", ":::"],
        ["0203.0.113.7", "203.0.113.007", "3405803783", "0xcb007107", "203.0.28935"],
    ],
    ids=["mapped", "IPv6", "its network", "zones", "none", "odd IPv4"],
)
async def test_one_address_has_one_count_however_it_is_spelled(peers: list[str]) -> None:
    assert await allowed(site(), [(peer, {}) for peer in [*peers, *peers]]) == LIMIT


async def test_two_addresses_have_a_count_each() -> None:
    peers = ["203.0.113.7", "203.0.113.8", "2001:db8:0:1::1", "2001:db8:0:2::1"]
    assert await allowed(site(), [(peer, {}) for peer in peers * 5]) == LIMIT * len(peers)


async def test_behind_a_proxy_the_client_is_whom_the_proxy_saw() -> None:
    proxies = ["10.0.0.0/8", "::1"]
    rotated = [{"x-forwarded-for": f"198.51.100.{number}, 203.0.113.7, 10.1.1.1"} for number in range(20)]
    assert await allowed(site(proxies=proxies), [("10.1.2.3", headers) for headers in rotated]) == LIMIT
    # Whoever reaches the server past the proxy is nobody's proxy.
    assert await allowed(site(proxies=proxies), [("203.0.113.9", headers) for headers in rotated]) == LIMIT
    clients = [{"x-forwarded-for": f"198.51.100.{number}"} for number in range(4)]
    assert await allowed(site(proxies=proxies), [("::1", headers) for headers in clients * 5]) == LIMIT * 4


async def test_behind_a_proxy_nonsense_is_the_proxys_own_count() -> None:
    nonsense = ["", "x", "unknown", "203.0.113.7, x", "x, ,", "_hidden", '"', "203.0.113.7:80:80", "\xff", "[::1", ","]
    senders = [("10.1.2.3", {"x-forwarded-for": value}) for value in nonsense]
    assert await allowed(site(proxies=["10.0.0.0/8"]), [*senders, ("10.1.2.3", {})]) == LIMIT


async def test_every_door_is_counted_by_the_same_address() -> None:
    limited = everything(rate_limit=RateLimitOptions(enabled=True, window=1000, max=2))
    for door in limited.doors:
        statuses: list[int] = []
        for number in range(8):
            # Each time somebody else, as who has no proxy would like to be.
            headers = ("x-forwarded-for", f"198.51.100.{number}")
            request = replace(door.request(("origin", ORIGIN), headers), peer="203.0.113.7")
            statuses.append((await limited.answer(request)).status)
        # Some doors have limits of their own, and aliases share theirs.
        assert statuses[-1] == 429, door
