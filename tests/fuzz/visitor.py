"""Who sends the requests: a stranger, or somebody who has just signed up."""

import itertools
import os
from urllib.parse import parse_qs, urlsplit

import httpx
from pyotp.totp import TOTP

SIGNED_IN = "FUZZ_SIGNED_IN"
"""The environment variable that tells one half of a run from the other."""

PASSWORD = "password123"
KNOWN = ("known@example.com", "guarded@example.com")
"""Who exists all the time: the second one has a second factor. Both have a username of their own."""


class Visitors:
    """Signs people up at one server."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, headers={"origin": str(httpx.URL(base_url).copy_with(path=""))})
        self._numbers = itertools.count()
        # Both halves of a run begin with this; the second finds them there.
        for email in KNOWN:
            if self._post("/sign-up/email", email=email, username=username_of(email)).is_success and email == KNOWN[1]:
                self._enable_two_factor()

    def newcomer(self) -> httpx.Cookies:
        """Return the cookies of somebody whom no request could sign out yet; every second one has a second factor."""
        number = next(self._numbers)
        self._http.cookies.clear()
        self._post("/sign-up/email", email=f"visitor-{number}@example.com").raise_for_status()
        if number % 2:
            self._enable_two_factor()
        return self._http.cookies

    def _enable_two_factor(self) -> None:
        """Turn the second factor of whoever is signed in on, with the first code of a new authenticator app."""
        uri: str = self._post("/two-factor/enable").raise_for_status().json()["totpURI"]
        secret = parse_qs(urlsplit(uri).query)["secret"][0]
        self._post("/two-factor/verify-totp", code=TOTP(secret).now()).raise_for_status()

    def _post(self, path: str, **fields: str) -> httpx.Response:
        return self._http.post(path, json={"name": "Ann", "password": PASSWORD, **fields})


def username_of(email: str) -> str:
    """Return the username of one of those who are known."""
    return email.partition("@")[0]


def is_signed_in() -> bool:
    """Tell which half of the run this is."""
    return bool(os.environ.get(SIGNED_IN))
