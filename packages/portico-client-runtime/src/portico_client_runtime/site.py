"""Where a client sends its requests, and what each of them carries."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from portico_client_runtime.cookies import Jar
from portico_client_runtime.errors import ConfigError

BASE_URL_VARIABLE = "BETTER_AUTH_URL"
REMEMBERED = 512
"""URLs that need not be parsed again."""


class Site:
    """One server as one client sees it."""

    def __init__(
        self,
        base_url: str | None,
        *,
        base_path: str,
        origin: str | None,
        timeout: float,
        headers: Mapping[str, str],
    ) -> None:
        self.url = _resolved(base_url, base_path)
        """With the base path, without a slash at its end; under this name a storage keeps the credentials."""
        self.jar = Jar()
        self._root = root_of(self.url)
        # Without an Origin the server refuses every request with cookies that changes anything.
        self.origin = origin or self._root
        self._timeout = timeout
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._headers |= {"accept": "application/json", "origin": self.origin}
        self._urls: dict[str, httpx.URL] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Request:
        """Return a request without credentials; `timeout` is in seconds, and the client's own if None."""
        fields = {**self._headers}
        if content is not None:
            fields["content-type"] = "application/json"
        for name, value in (headers or {}).items():
            fields[name.lower()] = value
        return self._to(self._url(path, query), method, fields, content, timeout)

    def request_to(self, url: str, method: str, form: Mapping[str, str] | None) -> httpx.Request:
        """Return a request without credentials to any URL of the server, with a form if there is one.

        Raises:
            ConfigError: The URL is another server's, or none.
        """
        if root_of(url) != self._root:
            raise ConfigError(f"{url} is not at {self._root}, which is the server of this client")
        if form is None:
            return self._to(httpx.URL(url), method, self._headers, None, None)
        fields = {**self._headers, "content-type": "application/x-www-form-urlencoded"}
        return self._to(httpx.URL(url), method, fields, urlencode(form).encode(), None)

    def _to(
        self, url: httpx.URL, method: str, fields: Mapping[str, str], content: bytes | None, timeout: float | None
    ) -> httpx.Request:
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout if timeout is None else timeout)
        extensions: dict[str, Any] = {"timeout": limits}
        return httpx.Request(method, url, headers=fields, content=content, extensions=extensions)

    def _url(self, path: str, query: str) -> httpx.URL:
        if query:
            return httpx.URL(f"{self.url}{path}?{query}")
        known = self._urls.get(path)
        if known is None:
            known = httpx.URL(self.url + path)
            if len(self._urls) < REMEMBERED:
                self._urls[path] = known
        return known


def root_of(url: str) -> str:
    """Return scheme, host and port of a URL, the port unless it is the scheme's own; nothing if it is no such URL.

    One with a user is none either: httpx would send that user and password in place of a client's credentials.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    if not parsed.scheme or not parsed.host or parsed.userinfo:
        return ""
    return f"{parsed.scheme}://{parsed.netloc.decode()}"


def _resolved(base_url: str | None, base_path: str) -> str:
    given = base_url or os.environ.get(BASE_URL_VARIABLE)
    if not given:
        raise ConfigError(f"base_url is missing: write 'https://example.com' or set {BASE_URL_VARIABLE}")
    try:
        parsed = httpx.URL(given)
    except httpx.InvalidURL as error:
        raise ConfigError(f"base_url must look like 'https://example.com', not {given!r}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.fragment or parsed.userinfo:
        raise ConfigError(f"base_url must look like 'https://example.com', not {given!r}")
    path = parsed.path.rstrip("/")
    return given.rstrip("/") if path else f"{given.rstrip('/')}/{base_path.strip('/')}".rstrip("/")
