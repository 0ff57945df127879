"""The client's address: the other end of the connection, or what a trusted proxy says it is."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from portico.errors import ConfigError
from portico.http import Request

REMEMBERED = 4096
"""Peers whose normal form is kept."""


class ClientAddresses:
    """Finds and normalises client addresses for rate limits and session rows.

    An IPv6 address stands for its network of `ipv6_prefix` bits, which is what one customer has; an IPv4-mapped one is
    the IPv4 address.
    """

    def __init__(
        self, trusted_proxies: Iterable[str], headers: Sequence[str], ipv6_prefix: int, *, tracks: bool = True
    ) -> None:
        try:
            self._proxies = [ip_network(each, strict=False) for each in trusted_proxies]
        except ValueError as error:
            raise ConfigError(f"trusted_proxies holds an address or network that is none: {error}") from error
        if not 1 <= ipv6_prefix <= 128:  # noqa: PLR2004  # bits of an IPv6 address
            raise ConfigError(f"ipv6_prefix is a number of bits from 1 to 128, not {ipv6_prefix}")
        self._headers = headers
        self._tracks = tracks
        self._prefix = ipv6_prefix
        self._known: dict[str, str] = {}

    def of(self, request: Request) -> str:
        """Return the client's normal address, or the empty text when the host or the application does not tell it."""
        if not self._tracks:
            return ""
        if self._proxies and request.peer and self._is_proxy(request.peer):
            return self.normal(self._forwarded(request))
        known = self._known.get(request.peer)
        if known is None:
            known = self.normal(request.peer)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[request.peer] = known
        return known

    def may_forward(self, request: Request) -> bool:
        """Tell whether the other end may say where the client asked: a proxy of ours, or anybody if none is named."""
        return not self._proxies or self._is_proxy(request.peer)

    def normal(self, text: str) -> str:
        """Return one spelling for all spellings of an address; the empty text for what is none."""
        parsed = _parsed(text)
        if not isinstance(parsed, IPv6Address):
            return "" if parsed is None else str(parsed)
        return IPv6Network((int(parsed), self._prefix), strict=False).network_address.exploded

    def _forwarded(self, request: Request) -> str:
        """Walk from the nearest proxy towards the client and stop at the first address that is no proxy of ours."""
        for name in self._headers:
            hops = [hop.strip() for hop in (request.headers.get(name) or "").split(",") if hop.strip()]
            for hop in reversed(hops):
                if _parsed(hop) is None:
                    break
                if not self._is_proxy(hop):
                    return hop
        return request.peer

    def _is_proxy(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._proxies)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        # A zone names an interface of this machine, not another client.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
