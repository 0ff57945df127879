"""The servers under comparison: each a process of its own."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Literal

from oauth_server import oauth_server
from parity.databases import Database, Row

HERE = Path(__file__).parent

SECRET = "reference-secret-0123456789-abcdefghij-XYZ"
OLDER_SECRET = "another secret of the right length"
ORIGIN = "http://localhost:4000"
SECURE_ORIGIN = "https://auth.example.test"
TRUSTED_ORIGINS = (
    "http://localhost:3000",
    "https://*.example.com",
    "https://exact.example.org",
    "myapp://",
    "https://*.trycloudflare.com/*",
    "http://192.168.*.*:*",
    "exp://**",
    "shop://home",
    "bank://home/in",
)

PLUGINS = "username,two-factor"
# In production upstream's cookies are secure where nothing else is said, as ours are.
PLACED = {
    "NODE_ENV": "production",
    "ALLOWED_HOSTS": "app.example.net,*.preview.example.net,localhost:*,app.example.org:8443",
}

MAILS = ",".join(
    (
        "reset-password",
        "password-was-reset",
        "existing-user-sign-up",
        "verification",
        "change-email-confirmation",
        "delete-account",
        "hooks",
    )
)
CONFIGURATIONS: Mapping[str, Mapping[str, str]] = {
    "core": {},
    "plugins": {"PLUGINS": PLUGINS},
    "bearer": {"PLUGINS": "bearer"},
    "challenged bearer": {"PLUGINS": f"bearer,{PLUGINS}"},
    "compact": {"COOKIE_CACHE": "compact", "PLUGINS": "bearer"},
    "jwt": {"COOKIE_CACHE": "jwt", "CHANGE_EMAIL": "1", "UPDATE_EMAIL_WITHOUT_VERIFICATION": "1", "DELETE_USER": "1"},
    "jwe": {"COOKIE_CACHE": "jwe"},
    "limited": {"RATE_LIMIT": "1", "PLUGINS": PLUGINS},
    "secure": {"BASE_URL": SECURE_ORIGIN, "COOKIE_CACHE": "compact"},
    "placed": {**PLACED, "MAILS": MAILS, "FALLBACK": "https://www.example.net"},
    "placed and secure": {
        **PLACED,
        "PROTOCOL": "https",
        "CROSS_SUBDOMAIN": "1",
        "MAILS": MAILS,
        "FALLBACK": "https://www.example.net",
    },
    "placed by proxies": {
        **PLACED,
        "PROTOCOL": "auto",
        "TRUSTED_PROXY_HEADERS": "1",
        "MAILS": MAILS,
        "FALLBACK": "https://www.example.net",
    },
    "placed or refused": {**PLACED, "PROTOCOL": "http"},
    "unchecked senders": {"DISABLE_CSRF_CHECK": "1", "MAILS": MAILS},
    "asked origins": {"ASKED_ORIGINS": "1"},
    "unchecked origins": {"DISABLE_ORIGIN_CHECK": "1", "MAILS": MAILS},
    "unchecked targets": {"DISABLE_ORIGIN_CHECK": "1", "DISABLE_CSRF_CHECK": "0", "MAILS": MAILS},
    "unchecked paths": {"DISABLE_ORIGIN_CHECK": "/sign-in,/verify-email/", "MAILS": MAILS},
    "named cookies": {
        "BASE_URL": SECURE_ORIGIN,
        "COOKIE_PREFIX": "acme",
        "CROSS_SUBDOMAIN": ".example.test",
        "COOKIE_ATTRIBUTES": "1",
        "NAMED_COOKIES": "1",
        "COOKIE_CACHE": "compact",
        "COOKIE_CACHE_MAX_AGE": "120",
    },
    "plain cookies": {"BASE_URL": SECURE_ORIGIN, "SECURE_COOKIES": "0", "CROSS_SUBDOMAIN": "1", "EXPIRES_IN": "3600"},
    "secure cookies": {"SECURE_COOKIES": "1"},
    "behind proxies": {
        "RATE_LIMIT": "1",
        "TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8",
        "ADDRESS_HEADERS": "x-client-ip,x-forwarded-for",
        "IPV6_PREFIX": "56",
    },
    "without addresses": {"DISABLE_IP_TRACKING": "1", "RATE_LIMIT": "1"},
    "told of errors": {"ON_API_ERROR": "told", "MAILS": MAILS, "ERROR_URL": "https://exact.example.org/oops?x=1"},
    "several secrets": {"OLDER_SECRET": OLDER_SECRET, "COOKIE_CACHE": "jwe"},
    "routed": {"DISABLED_PATHS": "/sign-out,/update-user", "SKIP_TRAILING_SLASHES": "1", "EMAIL_AND_PASSWORD": "0"},
    "limited in the database": {"RATE_LIMIT": "1", "RATE_LIMIT_STORAGE": "database", "PLUGINS": PLUGINS},
    "limited in secondary storage": {"RATE_LIMIT": "1", "SECONDARY": "1"},
    "secondary": {"SECONDARY": "1", "MAILS": MAILS, "DELETE_USER": "1"},
    "secondary and database": {
        "SECONDARY": "1",
        "STORE_SESSION_IN_DB": "1",
        "VERIFICATION_IN_DB": "1",
        "MAILS": MAILS,
        "DELETE_USER": "1",
    },
    "secondary and record": {
        "SECONDARY": "1",
        "STORE_SESSION_IN_DB": "1",
        "PRESERVE_SESSION_IN_DB": "1",
        "STORE_IDENTIFIER": "hashed",
        "MAILS": MAILS,
        "DELETE_USER": "1",
    },
    "eager": {"UPDATE_AGE": "0", "FRESH_AGE": "0", "EXPIRES_IN": "3600"},
    "mails": {"MAILS": MAILS, "CHANGE_EMAIL": "1", "DELETE_USER": "1", "SEND_ON_SIGN_UP": "1"},
    "proven": {
        "MAILS": MAILS,
        "PLUGINS": PLUGINS,
        "REQUIRE_EMAIL_VERIFICATION": "1",
        "SEND_ON_SIGN_IN": "1",
        "AUTO_SIGN_IN_AFTER_VERIFICATION": "1",
        "REVOKE_SESSIONS_ON_PASSWORD_RESET": "1",
        "COOKIE_CACHE": "compact",
    },
    "quiet": {
        "MAILS": "verification,existing-user-sign-up,hooks",
        "AUTO_SIGN_IN": "0",
        "VALIDATE_USER_INFO": "1",
        "CHANGE_EMAIL": "1",
        "UPDATE_EMAIL_WITHOUT_VERIFICATION": "1",
        "DELETE_USER": "1",
    },
    "mute": {"CHANGE_EMAIL": "1", "REQUIRE_EMAIL_VERIFICATION": "1", "SEND_ON_SIGN_IN": "1"},
    "links": {
        "MAILS": MAILS,
        "PLUGINS": "magic-link,bearer",
        "VALIDATE_USER_INFO": "1",
        "COOKIE_CACHE": "compact",
    },
    "closed links": {
        "MAILS": MAILS,
        "PLUGINS": f"magic-link,{PLUGINS}",
        "DISABLE_LINK_SIGN_UP": "1",
        "STORE_TOKEN": "hashed",
        "LINK_EXPIRES_IN": "3600",
    },
    "own links": {
        "MAILS": MAILS,
        "PLUGINS": "magic-link",
        "TOKEN_OF_ADDRESS": "1",
        "STORE_TOKEN": "backwards",
        "SECONDARY": "1",
    },
    "links and fields": {"MAILS": MAILS, "PLUGINS": "magic-link", "USER_FIELDS": "whole"},
    "limited links": {"RATE_LIMIT": "1", "PLUGINS": "magic-link", "LINK_LIMIT": "4"},
    "several": {"MAILS": MAILS, "PLUGINS": f"multi-session,magic-link,bearer,{PLUGINS}", "DELETE_USER": "1"},
    "several and secure": {
        "BASE_URL": SECURE_ORIGIN,
        "COOKIE_CACHE": "compact",
        "PLUGINS": "multi-session",
        "MAXIMUM_SESSIONS": "2",
    },
    "several elsewhere": {"SECONDARY": "1", "PLUGINS": "multi-session"},
    "several without a store": {"STATELESS": "1", "PLUGINS": "multi-session"},
    "sent codes": {"MAILS": MAILS, "PLUGINS": PLUGINS, "OTP": "plain"},
    "copied codes": {"MAILS": MAILS, "PLUGINS": PLUGINS, "OTP": "plain", "COOKIE_CACHE": "compact"},
    "codes elsewhere": {"MAILS": MAILS, "PLUGINS": PLUGINS, "OTP": "plain", "SECONDARY": "1"},
    "further codes": {
        "MAILS": MAILS,
        "PLUGINS": PLUGINS,
        "OTP": "hashed",
        "OTP_DIGITS": "8",
        "OTP_MINUTES": "10",
        "OTP_ATTEMPTS": "2",
        "TOTP_DIGITS": "8",
        "TOTP_PERIOD": "60",
        "BACKUP_AMOUNT": "3",
        "BACKUP_LENGTH": "12",
        "BACKUP_STORE": "plain",
        "SKIP_VERIFICATION": "1",
        "FACTOR_MAX_AGE": "300",
        "TRUST_MAX_AGE": "86400",
        "LOCKED_AFTER": "3",
        "LOCKED_FOR": "60",
    },
    "own codes": {
        "MAILS": MAILS,
        "PLUGINS": f"magic-link,{PLUGINS}",
        "OTP": "backwards",
        "BACKUP_STORE": "sealed",
        "ALLOW_PASSWORDLESS": "1",
        "LOCKOUT": "0",
    },
    "sealed codes": {"MAILS": MAILS, "PLUGINS": PLUGINS, "OTP": "sealed", "TOTP_DISABLE": "1"},
    "encrypted codes": {"MAILS": MAILS, "PLUGINS": PLUGINS, "OTP": "encrypted"},
    "mute names": {"PLUGINS": PLUGINS, "REQUIRE_EMAIL_VERIFICATION": "1", "SEND_ON_SIGN_IN": "1"},
    "names as sent": {
        "PLUGINS": "username",
        "USERNAME_FORM": "off",
        "OWN_NAME_VALIDATORS": "1",
        "USERNAME_MIN": "2",
        "USERNAME_MAX": "12",
    },
    "names without spaces": {
        "PLUGINS": "username",
        "USERNAME_FORM": "without spaces",
        "DISPLAY_FORM": "without spaces",
        "NAME_ORDER": "post-normalization",
    },
    "own names without spaces": {
        "PLUGINS": "username",
        "USERNAME_FORM": "without spaces",
        "DISPLAY_FORM": "without spaces",
        "OWN_NAME_VALIDATORS": "1",
        "USERNAME_MAX": "8",
    },
    "names for good": {"PLUGINS": "username,bearer", "IMMUTABLE_USERNAME": "1"},
    "names alone": {"PLUGINS": "username", "DISPLAY_USERNAME": "0"},
    "devices": {"PLUGINS": "device-authorization,bearer"},
    "configured devices": {
        "MAILS": MAILS,
        "PLUGINS": "device-authorization,bearer",
        "DEVICE_LIFETIME": "600",
        "DEVICE_INTERVAL": "2",
        "DEVICE_CODE_LENGTH": "32",
        "USER_CODE_LENGTH": "16",
        "DEVICE_PAGE": "https://tv.example.com?lang=de&user_code=old#top",
        "DEVICE_CLIENTS": "cli,tv",
    },
    "devices with codes of one's own": {
        "PLUGINS": "device-authorization,bearer",
        "DEVICE_CODES": "own device code|Own-kode 1",
        "DEVICE_PAGE": "../enter",
        "SECONDARY": "1",
    },
    "limited devices": {"RATE_LIMIT": "1", "PLUGINS": "device-authorization"},
    "accounts": {"SESSION_FIELDS": "1", "ALLOW_UNLINKING_ALL": "1", "DISABLE_SESSION_REFRESH": "1"},
    "second factors and fields": {"PLUGINS": "two-factor", "SESSION_FIELDS": "1"},
    "stateless": {"STATELESS": "1", "SESSION_FIELDS": "1"},
    "providers": {"PROVIDER": "acme", "STORE_ACCOUNT_COOKIE": "1", "VALIDATE_USER_INFO": "1"},
    "providers and copies": {
        "PROVIDER": "acme",
        "STORE_ACCOUNT_COOKIE": "1",
        "COOKIE_CACHE": "jwe",
        "COOKIE_CACHE_MAX_AGE": "600",
    },
    "encrypted providers": {"PROVIDER": "acme", "ENCRYPT_OAUTH_TOKENS": "1"},
    "fields": {"USER_FIELDS": "1", "RENAMED": "1", "PLUGINS": PLUGINS, "RATE_LIMIT_STORAGE": "database"},
    "snake": {
        "NAMING": "snake",
        "PLUGINS": PLUGINS,
        "RATE_LIMIT": "1",
        "RATE_LIMIT_STORAGE": "database",
        "MAILS": MAILS,
    },
    "quiet fields": {"USER_FIELDS": "1", "AUTO_SIGN_IN": "0", "GENERATE_ID": "serial"},
    "serial": {"GENERATE_ID": "serial", "PLUGINS": PLUGINS, "DELETE_USER": "1"},
    "uuid": {"GENERATE_ID": "uuid", "PLUGINS": PLUGINS, "DELETE_USER": "1"},
    "tokens": {"PLUGINS": "jwt,bearer"},
    "signed copies": {"PLUGINS": "jwt", "COOKIE_CACHE": "jwt", "JWT_COOKIE_CACHE": "1", "JWT_NO_HEADER": "1"},
    "cached tokens": {"PLUGINS": "jwt", "COOKIE_CACHE": "jwe"},
    "configured tokens": {
        "PLUGINS": "jwt",
        "JWT_ALGORITHM": "ES256",
        "JWT_PLAIN_KEYS": "1",
        "JWT_PATH": "/.well-known/jwks.json",
        "JWT_ROTATION": "86400",
        "JWT_GRACE": "3600",
        "JWT_ISSUER": "https://issuer.example.com",
        "JWT_AUDIENCE": "https://a.example.com,b",
        "JWT_LIFETIME": "2 hours",
        "JWT_CLAIMS": "1",
        "JWT_NO_HEADER": "1",
    },
    **{f"{name} tokens": {"PLUGINS": "jwt", "JWT_ALGORITHM": name} for name in ("ES512", "PS256", "RS256")},
    "remote tokens": {"PLUGINS": "jwt", "JWT_ALGORITHM": "ES256", "JWT_REMOTE": "https://keys.example.com/jwks"},
    "deferred": {"DEFER_SESSION_REFRESH": "1"},
    "versioned": {
        "COOKIE_CACHE": "compact",
        "VERSION_OF_USER": "1",
        "REFRESH_CACHE": "1",
        "DEFER_SESSION_REFRESH": "1",
        "SESSION_FIELDS": "1",
    },
}
"""What differs from the defaults, by name, as environment variables that both servers read."""

TOGETHER: Mapping[str, str] = {
    "MAILS": MAILS,
    "PLUGINS": PLUGINS,
    "CHANGE_EMAIL": "1",
    "DELETE_USER": "1",
    "USER_FIELDS": "whole",
    "SESSION_FIELDS": "1",
    "PROVIDER": "acme",
    "ENCRYPT_OAUTH_TOKENS": "1",
    "STORE_ACCOUNT_COOKIE": "1",
    "RATE_LIMIT": "1",
    "RATE_LIMIT_STORAGE": "database",
}
SHARED: Mapping[str, Mapping[str, str]] = {
    "together": TOGETHER,
    "together, serial": {**TOGETHER, "GENERATE_ID": "serial", "STORE_IDENTIFIER": "hashed"},
    "together, uuid": {**TOGETHER, "GENERATE_ID": "uuid"},
}
"""The same for two servers that run on one database of any kind."""
UPSTREAMS: Mapping[str, Mapping[str, str]] = {
    "provider": {"PLUGINS": "jwt,bearer,device-authorization,oauth-provider", "OWN_URL": "1"},
}
"""The same for upstream's server alone."""

Side = Literal["upstream", "upstream again", "portico"]


def missing() -> str | None:
    """Return why the servers cannot be started, or None if they can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (HERE / "node_modules" / "better-auth").is_dir():
        return "the npm packages are not installed"
    return None


class Server:
    """One running server, with its files in a folder and its rows in a database."""

    def __init__(self, side: Side, configuration: str, folder: Path, database: Database) -> None:
        self.side = side
        self.configuration = configuration
        self.settings = {**CONFIGURATIONS, **SHARED, **UPSTREAMS}[configuration]
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = self.url if "OWN_URL" in self.settings else ORIGIN
        self.origin = self.settings.get("BASE_URL", own)
        name = f"{side}-{configuration}".replace(" ", "-")
        self.database = database
        self.secondary = folder / f"{name}.secondary"
        self.log = folder / f"{name}.log"
        self._provider = ExitStack()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "ours.py"] if self.side == "portico" else ["node", "upstream.mjs"]
        environment = {
            **os.environ,
            "SECRET": SECRET,
            "BASE_URL": self.origin,
            "TRUSTED_ORIGINS": ",".join(TRUSTED_ORIGINS),
            "ISSUER": "Acme",
            "BETTER_AUTH_TELEMETRY": "0",
            **self.settings,
            "PORT": str(self.port),
            "SECONDARY_DB": str(self.secondary),
            **self.database.environment,
            **self._provided(),
        }
        with self.log.open("w") as log:
            process = subprocess.Popen(
                command, cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            process.kill()
            raise RuntimeError(f"{self.side} did not start: {self.log.read_text()[-2000:]}")
        return process

    def _provided(self) -> Mapping[str, str]:
        """Return where the provider of accounts is, which every server has for itself."""
        if "PROVIDER" not in self.settings:
            return {}
        provider = self._provider.enter_context(oauth_server())
        # Scenarios use the same tokens again.
        provider.takes_tokens_once = False
        return {"PROVIDER_URL": provider.url}

    def stop(self) -> None:
        """End the process that this object started."""
        self._provider.close()
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def mails(self) -> list[dict[str, object]]:
        """Return what would have been mailed, and which hooks ran, since somebody asked."""
        if "MAILS" not in self.settings:
            return []
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/__outbox")
            found: list[dict[str, object]] = json.loads(connection.getresponse().read())
            return found

    def make_tables(self) -> None:
        """Let the server make what its database lacks."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/__tables")
            response = connection.getresponse()
            assert response.status == 200, response.read()

    def rows(self) -> dict[str, list[Row]]:
        """Return every row of every table, and what secondary storage holds."""
        found = self.database.rows()
        if self.secondary.exists():
            with closing(sqlite3.connect(self.secondary, timeout=10)) as connection:
                connection.row_factory = sqlite3.Row
                # Keys that go together are written in either order.
                order = """
                    case when "key" like 'verification:%' then 'v' when instr("key", '-') then substr("key", 1, 8) end,
                    rowid
                """
                rows = connection.execute(f'select * from "secondaryStorage" order by {order}')
                found["secondary storage"] = [dict(row) for row in rows]
        return found

    def reset(self) -> None:
        """Empty every table, and the outbox."""
        self.mails()
        self.database.empty()
        if self.secondary.exists():
            with closing(sqlite3.connect(self.secondary, timeout=10)) as connection, connection:
                connection.execute('delete from "secondaryStorage"')


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
