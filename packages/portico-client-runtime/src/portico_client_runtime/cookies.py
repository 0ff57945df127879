"""The cookies of one client."""

from collections.abc import Callable
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import Request

import httpx


class Jar:
    """Cookies that servers set, by the rules of RFC 6265; any thread may use it."""

    def __init__(self) -> None:
        self._jar = CookieJar()
        self._was_used = False

    def header(self, url: str) -> str | None:
        """Return the Cookie header for a request to `url`."""
        if not self._was_used:
            return None
        request = Request(url)  # noqa: S310  # never opened: the jar reads host and path from it
        self._jar.add_cookie_header(request)
        found: str | None = request.get_header("Cookie")
        return found

    def keep(self, response: httpx.Response, accepts: Callable[[str], bool] | None = None) -> None:
        """Do what the Set-Cookie lines of a response say, with those cookies whose names are accepted."""
        lines = response.headers.get_list("set-cookie")
        if not lines:
            return
        self._was_used = True
        request = Request(str(response.request.url))  # noqa: S310  # never opened
        for line in lines:
            if accepts is None or accepts(cookie_name(line)):
                # One at a time: a jar that is given all of them forgets first and keeps afterwards, so a cookie that is
                # set and then ended would stay.
                self._jar.extract_cookies(_Line(line), request)  # type: ignore[arg-type]  # the jar calls info() only  # pyright: ignore[reportArgumentType]


class _Line:
    """A response with a single cookie, as far as a jar looks at one."""

    def __init__(self, line: str) -> None:
        self._message = Message()
        self._message["Set-Cookie"] = line

    def info(self) -> Message:
        return self._message


def refusing_jar() -> CookieJar:
    """Return a jar that stays empty."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def cookie_name(line: str) -> str:
    """Return the name of the cookie that a Set-Cookie line is about."""
    return line.partition(";")[0].partition("=")[0].strip()


def carries_session(name: str) -> bool:
    """Tell whether a cookie is a session or its cached copy, whole or in chunks, under upstream's names."""
    base, _, chunk = name.rpartition(".")
    return (base if chunk.isdecimal() else name).endswith(("session_token", "session_data"))


def ends_session(response: httpx.Response) -> bool:
    """Tell whether a response takes the session cookie back."""
    return any(
        cookie_name(line).endswith("session_token") and "max-age=0" in line.lower().replace(" ", "").split(";")
        for line in response.headers.get_list("set-cookie")
    )


def changes_session(response: httpx.Response) -> bool:
    """Tell whether a response sets or takes back the session cookie."""
    return any(cookie_name(line).endswith("session_token") for line in response.headers.get_list("set-cookie"))
