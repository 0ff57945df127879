"""Where an Auth is reached, whom it trusts, and who stands in front of it."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from portico.cli.doctor.finding import Examined, Finding, item, judged
from portico.configuration import Environment, trusted_origins_of
from portico.options import DynamicBaseURL
from portico.origin import WILDCARD, origin_of

WIDEST = {4: 8, 6: 16}
"""Bits of the largest network of which all may be proxies, by the version of its addresses."""
LOCAL = ("localhost", "127.0.0.1", "::1")
NAMED = "write https:// origins into trusted_origins"


def base_url(examined: Examined) -> Iterator[Finding]:
    """Look whether browsers come by https."""
    url = examined.auth.base_url
    if isinstance(url, DynamicBaseURL):
        yield _dynamic(url)
        return
    host = urlsplit(url).hostname or ""
    yield judged(
        "base-url-https",
        "fail",
        not url.lower().startswith("https://"),
        good="the base URL is https",
        says=f"the base URL is http on {'this machine' if _is_local(host) else host}: cookies are sent in the clear",
        remedy="set base_url, or BETTER_AUTH_URL, to the public https origin",
    )


def _dynamic(url: DynamicBaseURL) -> Finding:
    hosts = [urlsplit(f"//{host.replace(':*', '')}").hostname or "" for host in url.allowed_hosts]
    if url.protocol == "http" or all(map(_is_local, hosts)):
        return item(
            "base-url-https",
            "fail",
            "the base URL is http, or hosts of this machine only",
            "set base_url, or BETTER_AUTH_URL, to the public https origin",
        )
    return judged(
        "base-url-https",
        "warn",
        url.protocol != "https",
        good="every base URL is https",
        says="the protocol of the base URL is whatever a request says",
        remedy='DynamicBaseURL(..., protocol="https")',
    )


def trusted_origins(examined: Examined) -> Iterator[Finding]:
    """Look at the origins that may send cookies and be redirected to."""
    origins = trusted_origins_of(examined.auth.options, Environment(variables=examined.environment))
    plain = [each for each in origins if each.lower().startswith("http://")]
    local = [each for each in plain if _is_local(urlsplit(each).hostname or "")]
    foreign = [each for each in plain if each not in local]
    yield judged(
        "trusted-origins-https",
        "fail" if foreign else "warn",
        bool(plain),
        good="no trusted origin is http",
        says=f"trusted by http, where anybody on the way can be them: {', '.join(foreign or local)}",
        remedy=NAMED,
    )
    wide, some = [each for each in origins if _is_everything(each)], [each for each in origins if WILDCARD.search(each)]
    yield judged(
        "trusted-origins-wildcards",
        "fail" if wide else "warn",
        bool(some),
        good="trusted origins are named one by one",
        says=f"{'trusts nearly everybody' if wide else 'trusts every host of a pattern'}: {', '.join(wide or some)}",
        remedy="name the hosts, or trust patterns only of domains on which nobody else can put a page",
    )
    yield from _slashes(origins)
    if examined.auth.ask_origins is not None:
        yield item("trusted-origins-function", "pass", "more trusted origins come from a function, which is not called")


def _slashes(origins: Sequence[str]) -> Iterator[Finding]:
    """Look for origins with a path: patterns of that kind fit no origin."""
    ended = [each for each in origins if each.count("/") > 2 and (origin_of(each) or WILDCARD.search(each))]  # noqa: PLR2004  # those of ://
    never = [each for each in ended if WILDCARD.search(each)]
    yield judged(
        "trusted-origins-slashes",
        "fail" if never else "warn",
        bool(ended),
        good="no trusted origin ends with a slash or path",
        says=f"{'no origin ever fits' if never else 'an origin has no path, and this one is ignored'}: "
        f"{', '.join(never or ended)}",
        remedy="write origins as 'https://example.com'",
    )


def proxies(examined: Examined) -> Iterator[Finding]:
    """Look at who may say where a request comes from."""
    advanced = examined.auth.advanced
    wide = [each for each in advanced.trusted_proxies if _is_wide(each)]
    yield judged(
        "proxies-narrow",
        "fail",
        bool(wide),
        good="trusted proxies are few addresses",
        says=f"nearly everybody is a trusted proxy, and may claim any address: {', '.join(wide)}",
        remedy="name the addresses or networks of your proxies in advanced.trusted_proxies",
    )
    yield judged(
        "proxies-named",
        "warn",
        not advanced.trusted_proxies and not advanced.disable_ip_tracking,
        good="proxies are named, or addresses do not matter",
        says="no proxy is named: if one stands in front, all clients have its address and share their rate limits",
        remedy="name it in advanced.trusted_proxies; without a proxy nothing is to be done",
    )
    dynamic = isinstance(examined.auth.base_url, DynamicBaseURL)
    yield judged(
        "proxy-headers",
        "fail" if dynamic else "warn",
        advanced.trusted_proxy_headers and not advanced.trusted_proxies,
        good="X-Forwarded-Host and X-Forwarded-Proto are believed of nobody, or of named proxies",
        says="whoever can reach this server says by X-Forwarded-Host where a request was sent",
        remedy="name your proxies in advanced.trusted_proxies, or turn advanced.trusted_proxy_headers off",
    )


def _is_local(host: str) -> bool:
    return host in LOCAL or host.endswith(".localhost")


def _is_everything(pattern: str) -> bool:
    """Tell whether a pattern leaves open who has the domain: `*`, `https://*`, `*.com`."""
    host = pattern.partition("://")[2] or pattern
    return bool(WILDCARD.search(host)) and len([part for part in host.split(".") if not WILDCARD.search(part)]) < 2  # noqa: PLR2004  # a domain and where it is registered


def _is_wide(proxy: str) -> bool:
    network = ip_network(proxy, strict=False)
    return network.prefixlen < WIDEST[network.version]
