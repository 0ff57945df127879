"""Portico on SQLite behind uvicorn, configured by the same environment as upstream.mjs."""

import os
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from portico import AnyApi, Auth, EmailAndPassword, Plugin, SessionOptions
from portico.crypto.password import Scrypt
from portico.hosts import asgi
from portico.options import AdvancedOptions, CookieCacheOptions, RateLimitOptions
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username

ENVIRONMENT = os.environ
PLUGINS: dict[str, Callable[[], Plugin[Any, Any]]] = {
    "bearer": Bearer,
    "username": Username,
    "two-factor": lambda: TwoFactor(issuer=ENVIRONMENT["ISSUER"]),
}


def listed(name: str) -> list[str]:
    return [each for each in ENVIRONMENT.get(name, "").split(",") if each]


def seconds(**names: str) -> dict[str, Any]:
    return {option: int(ENVIRONMENT[name]) for option, name in names.items() if name in ENVIRONMENT}


def make() -> Auth[AnyApi]:
    strategy: Any = ENVIRONMENT.get("COOKIE_CACHE")
    cache = (
        CookieCacheOptions(enabled=True, strategy=strategy, **seconds(max_age="COOKIE_CACHE_MAX_AGE"))
        if strategy
        else CookieCacheOptions()
    )
    return Auth(
        secret=ENVIRONMENT["SECRET"],
        base_url=ENVIRONMENT["BASE_URL"],
        database=f"sqlite:///{ENVIRONMENT['DB']}",
        trusted_origins=listed("TRUSTED_ORIGINS"),
        email_and_password=EmailAndPassword(enabled=ENVIRONMENT.get("EMAIL_AND_PASSWORD") != "0", password=Scrypt()),
        session=SessionOptions(
            cookie_cache=cache,
            **seconds(expires_in="EXPIRES_IN", update_age="UPDATE_AGE", fresh_age="FRESH_AGE"),
        ),
        rate_limit=RateLimitOptions(enabled=ENVIRONMENT.get("RATE_LIMIT") == "1"),
        disabled_paths=listed("DISABLED_PATHS"),
        advanced=AdvancedOptions(
            skip_trailing_slashes=ENVIRONMENT.get("SKIP_TRAILING_SLASHES") == "1", trusted_proxies=["127.0.0.1"]
        ),
        plugins=[PLUGINS[each]() for each in listed("PLUGINS")],
    )


class Server(uvicorn.Server):
    """Makes the tables first and says when it listens."""

    def __init__(self, auth: Auth[AnyApi]) -> None:
        # The harness plays the proxy, so uvicorn itself must leave the forwarded address alone.
        port = int(ENVIRONMENT["PORT"])
        super().__init__(
            uvicorn.Config(asgi.app(auth), port=port, log_level="error", access_log=False, proxy_headers=False)
        )
        self.auth = auth

    async def startup(self, sockets: Any = None) -> None:
        await self.auth.create_schema()
        await super().startup(sockets)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Server(make()).run()
