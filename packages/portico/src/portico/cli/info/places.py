"""Where an Auth is reached, and what to write into the consoles of OAuth providers."""

from collections.abc import Sequence
from typing import Any

from portico.auth import Auth
from portico.base_url import trusted_hosts
from portico.options import DynamicBaseURL

CALLBACK = "/callback/"


def urls_of(auth: Auth[Any]) -> Sequence[str]:
    """Return every URL under which the endpoints live; hosts may be patterns."""
    if not isinstance(auth.base_url, DynamicBaseURL):
        return [auth.site.url]
    return [origin + auth.site.path for origin in dict.fromkeys(trusted_hosts(auth.base_url))]


def callbacks_of(auth: Auth[Any]) -> dict[str, list[str]]:
    """Return by provider the URLs that it must allow as redirect URIs, to the letter."""
    return {name: [url + CALLBACK + name for url in urls_of(auth)] for name in auth.social_providers}
