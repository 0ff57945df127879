"""What stands before every call: limits, checks of the sender, and the attributes of cookies."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portico.auth import Auth
from portico.cli.doctor.finding import Examined, Finding, item, judged
from portico.cookies import ACCOUNT_DATA, DONT_REMEMBER, SESSION_DATA, SESSION_TOKEN
from portico.store.secondary import EmulatedStorage

DOORS = ("/sign-in/", "/sign-up/", "/two-factor/verify-")
SHARED = 'RateLimitOptions(storage="database"), or Auth(secondary_storage=RedisStorage(client))'


def rate_limits(examined: Examined) -> Iterator[Finding]:
    """Look whether guesses are limited, by all processes together."""
    auth = examined.auth
    limits = {path: each.limit for path, each in auth.handler.compiled.items() if not each.endpoint.server_only}
    is_on = any(limits.values())
    why = "without addresses of clients there are none" if auth.advanced.disable_ip_tracking else "they are off"
    yield judged(
        "rate-limit-on",
        "fail",
        not is_on,
        good="requests are limited",
        says=f"requests are not limited: {why}",
        remedy="RateLimitOptions(enabled=True), and leave advanced.disable_ip_tracking off",
    )
    if not is_on:
        return
    open_doors = sorted(path for path, limit in limits.items() if limit is None and path.startswith(DOORS))
    yield judged(
        "rate-limit-doors",
        "fail",
        bool(open_doors),
        good="every way to sign in is limited",
        says=f"anybody may guess as often as they like at {', '.join(open_doors)}",
        remedy="take the rule out of rate_limit.custom_rules",
    )
    yield _counted(auth, _workers(examined.environment))


def _counted(auth: Auth[Any], workers: int) -> Finding:
    options = auth.rate_limit
    storage = options.storage or ("memory" if auth.secondary is None else "secondary-storage")
    if storage == "secondary-storage" and isinstance(auth.secondary, EmulatedStorage) and options.store is None:
        return item(
            "rate-limit-shared",
            "warn",
            "secondary storage lacks get_and_delete or increment: limits are exact in one process only",
            SHARED,
        )
    return judged(
        "rate-limit-shared",
        "fail" if workers > 1 else "warn",
        options.store is None and storage == "memory",
        good="requests are counted for all processes together",
        says=f"each process counts for itself, and there are {workers}"
        if workers > 1
        else "each process counts for itself: with several of them, limits are as many times as high",
        remedy=SHARED,
    )


def _workers(environment: Mapping[str, str]) -> int:
    """Return how many processes a server is asked for by the variable that servers agree on."""
    asked = environment.get("WEB_CONCURRENCY", "")
    return int(asked) if asked.isdecimal() else 1


def senders(examined: Examined) -> Iterator[Finding]:
    """Look whether it is checked who made a browser send a request."""
    advanced = examined.auth.advanced
    unchecked = advanced.disable_csrf_check is True or (
        advanced.disable_csrf_check is None and advanced.disable_origin_check is True
    )
    yield judged(
        "csrf-check",
        "fail",
        unchecked,
        good="senders are checked",
        says="any site can make a browser of your users send requests with their cookies",
        remedy="leave advanced.disable_csrf_check off",
    )
    paths = advanced.disable_origin_check
    everywhere = paths is True
    listed: Sequence[str] = () if isinstance(paths, bool) else paths
    yield judged(
        "origin-check",
        "fail" if everywhere else "warn",
        everywhere or bool(listed),
        good="users are sent to trusted places only",
        says=f"any place is a trusted one {'everywhere' if everywhere else 'at ' + ', '.join(listed)}",
        remedy="leave advanced.disable_origin_check off, and name origins in trusted_origins",
    )


def cookies(examined: Examined) -> Iterator[Finding]:
    """Look at the attributes that each cookie is sent with."""
    auth = examined.auth
    own = [SESSION_TOKEN, SESSION_DATA, DONT_REMEMBER, ACCOUNT_DATA, *auth.advanced.cookies]
    names = dict.fromkeys([*own, *(name for plugin in auth.api.plugins for name in plugin.cookies)])
    lines = {name: auth.cookies.write_plain(name, "", None)[1].lower().split("; ") for name in names}
    yield judged(
        "cookies-secure",
        "fail",
        bool(open_ones := [name for name, line in lines.items() if "secure" not in line]),
        good="cookies are sent by https only",
        says=f"browsers send these by http as well: {', '.join(open_ones)}",
        remedy="use an https base URL, and leave advanced.use_secure_cookies and `secure` of cookies as they are",
    )
    yield judged(
        "cookies-http-only",
        "fail" if SESSION_TOKEN in (read := _without(lines, "httponly")) else "warn",
        bool(read),
        good="no script reads cookies",
        says=f"scripts of the page read these: {', '.join(read)}",
        remedy="leave `http_only` of cookies as it is",
    )
    foreign = [name for name, line in lines.items() if "samesite=none" in line or not _has_same_site(line)]
    yield judged(
        "cookies-same-site",
        "warn",
        bool(foreign),
        good="other sites send no cookies along",
        says=f"requests of every other site carry these: {', '.join(foreign)}",
        remedy='same_site="lax" unless pages of other sites need them; then trusted_origins alone decides',
    )
    domains = sorted({part for line in lines.values() for part in line if part.startswith("domain=")})
    yield judged(
        "cookies-domain",
        "warn",
        bool(domains),
        good="cookies are for one host",
        says=f"every subdomain gets the cookies: {', '.join(domains)}",
        remedy="advanced.cross_subdomain_cookies only where all of them are yours",
    )


def _without(lines: Mapping[str, list[str]], attribute: str) -> list[str]:
    return [name for name, line in lines.items() if attribute not in line]


def _has_same_site(line: list[str]) -> bool:
    return any(part.startswith("samesite=") for part in line)
