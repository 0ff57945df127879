import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico import ConfigError, Headers, Request
from portico.address import REMEMBERED, ClientAddresses
from requirements import requirement

PLAIN = ClientAddresses((), ("x-forwarded-for",), 64)
BEHIND = ClientAddresses(("10.0.0.0/8", "::1"), ("x-forwarded-for",), 64)


def seen(addresses: ClientAddresses, peer: str, forwarded: str | None = None) -> str:
    headers = Headers([] if forwarded is None else [("X-Forwarded-For", forwarded)])
    return addresses.of(Request(method="GET", path="/", headers=headers, peer=peer))


@requirement("B-56", "L01")
@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002:0000:0000:0000:0000"),
        ("2001:DB8:1:2::", "2001:0db8:0001:0002:0000:0000:0000:0000"),
        ("fe80::1%eth0", "fe80:0000:0000:0000:0000:0000:0000:0000"),
        ("", ""),
        ("localhost", ""),
        ("1.2.3", ""),
    ],
)
def test_an_address_has_one_spelling(peer: str, address: str) -> None:
    assert seen(PLAIN, peer) == address


@requirement("B-56", "L01")
def test_more_addresses_than_are_remembered_are_known_as_well() -> None:
    addresses = ClientAddresses((), (), 64)
    peers = [f"10.{number // 256}.{number % 256}.1" for number in range(REMEMBERED + 2)]
    assert [seen(addresses, peer) for peer in (*peers, peers[0])] == [*peers, peers[0]]


@requirement("L01")
@given(st.ip_addresses(v=6, network="2001:db8:5:6::/64"))
def test_one_customers_addresses_are_one(address: object) -> None:
    assert seen(PLAIN, str(address)) == "2001:0db8:0005:0006:0000:0000:0000:0000"


@requirement("L01", "B-56")
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy() -> None:
    assert seen(PLAIN, "203.0.113.7", "198.51.100.1") == "203.0.113.7"
    assert seen(BEHIND, "203.0.113.7", "198.51.100.1") == "203.0.113.7"
    assert seen(BEHIND, "10.1.2.3", "198.51.100.1") == "198.51.100.1"
    assert seen(BEHIND, "::1", "198.51.100.1") == "198.51.100.1"


@requirement("L01")
def test_what_a_client_writes_before_the_proxy_is_not_believed() -> None:
    assert seen(BEHIND, "10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9") == "198.51.100.1"
    assert seen(BEHIND, "10.1.2.3", "198.51.100.1, nonsense") == "10.1.2.3"
    assert seen(BEHIND, "10.1.2.3", "") == "10.1.2.3"


@requirement("CONF-addresses")
def test_a_proxy_that_is_no_address_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="trusted_proxies"):
        ClientAddresses(("proxy.local",), (), 64)
    with pytest.raises(ConfigError, match="ipv6_prefix"):
        ClientAddresses((), (), 0)
