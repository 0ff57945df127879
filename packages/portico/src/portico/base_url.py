"""A base URL that depends on where a request was sent: the hosts that are ours, and what follows from each."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from portico.address import ClientAddresses
from portico.configuration import Site
from portico.cookies import Cookies
from portico.errors import INVALID_HOST, ApiError, ConfigError
from portico.http import Headers, Request
from portico.options import DynamicBaseURL
from portico.origin import Origins, origin_of

# A dot between any two labels: were it optional, a long name could be cut into labels in too many ways to try.
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?:{LABEL}(?:\.{LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
LONGEST = 261
"""A name of 255 letters and a port."""
PATTERN = re.compile(r"[A-Za-z0-9.*?:\[\]-]+")
LOOPBACK = re.compile(r"localhost|.+\.localhost|127\.[0-9.]+|\[::1\]")
REMEMBERED = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call was sent: the site, its cookies, and the origins that it trusts."""

    site: Site
    cookies: Cookies
    origins: Origins


class Places:
    """The places of one Auth, made as they are asked for."""

    def __init__(
        self,
        options: DynamicBaseURL,
        path: str,
        make: Callable[[Site], Place],
        *,
        forwarded: Callable[[Request | None], bool],
    ) -> None:
        """Take how to make a place, and whose forwarded headers count."""
        if not options.allowed_hosts:
            raise ConfigError(
                "base_url allows no hosts: name them, such as DynamicBaseURL(allowed_hosts=['*.example.com'])"
            )
        wrong = [each for each in options.allowed_hosts if not PATTERN.fullmatch(each)]
        if wrong:
            raise ConfigError(f"allowed_hosts holds {wrong[0]!r}: write hosts such as 'example.com' or '*.example.com'")
        self._options = options
        self._path = path
        self._make = make
        self._forwarded = forwarded
        self._allowed = [_compiled(each) for each in options.allowed_hosts]
        self._known: dict[str, Place] = {}

    def of(self, headers: Headers, request: Request | None) -> Place | None:
        """Return the place that a call means; None for the fallback.

        Raises:
            ApiError: INVALID_HOST, if the host is not ours and there is no fallback.
        """
        trusts = self._forwarded(request)
        host = (trusts and _host(headers.get("x-forwarded-host"))) or _host(headers.get("host"))
        if not host or not any(pattern.fullmatch(host) for pattern in self._allowed):
            if self._options.fallback is not None or (not host and request is None):
                return None
            raise ApiError(INVALID_HOST)
        origin = f"{self._protocol(headers, request, host, trusts=trusts)}://{host}"
        known = self._known.get(origin)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[origin] = self._make(Site(origin=origin_of(origin), path=self._path))
        return known

    def _protocol(self, headers: Headers, request: Request | None, host: str, *, trusts: bool) -> str:
        if self._options.protocol in {"http", "https"}:
            return self._options.protocol
        forwarded = headers.get("x-forwarded-proto") if trusts else None
        if forwarded in {"http", "https"}:
            return forwarded
        if request is not None and request.scheme in {"http", "https"}:
            return request.scheme
        return "http" if _is_loopback(host) else "https"


def trusted_hosts(options: DynamicBaseURL) -> Sequence[str]:
    """Return the origins of the allowed hosts, as patterns, and that of the fallback."""
    allowed = [f"{scheme}://{host}" for host in options.allowed_hosts for scheme in _schemes(options, host)]
    return [*allowed, origin_of(options.fallback)] if options.fallback else allowed


def _schemes(options: DynamicBaseURL, host: str) -> Iterator[str]:
    if options.protocol != "http":
        yield "https"
    if options.protocol in {"http", "auto"} or _is_loopback(host):
        yield "http"


def _is_loopback(host: str) -> bool:
    """Tell whether a host, perhaps with a port, is this machine."""
    name = host.partition(":")[0] if host[0] != "[" else host.partition("]")[0] + "]"
    return LOOPBACK.fullmatch(name.lower()) is not None


def forwarding(addresses: ClientAddresses, *, is_believed: bool) -> Callable[[Request | None], bool]:
    """Return what tells whether the forwarded headers of a request count."""
    if not is_believed:
        return lambda _: False
    return lambda request: request is None or addresses.may_forward(request)


def _host(text: str | None) -> str:
    return text.lower() if text and len(text) <= LONGEST and HOST.fullmatch(text) else ""


def _compiled(pattern: str) -> "re.Pattern[str]":
    parts = re.split(r"(\*+|\?)", pattern.lower())
    return re.compile(
        "".join({"?": "."}.get(each, ".+") if each[:1] in {"*", "?"} else re.escape(each) for each in parts)
    )
