"""A desk whose tool signs in at an OAuth provider, and what is then kept."""

import json
from typing import Any

import httpx

from client.cli.desk import Desk, Outcome
from client.cli.provider import Browser, Provider
from client.runtime.acme import LIST_SESSIONS, Acme, Session
from portico_client_runtime.cli import Loopback

NATIVE = Loopback(client_id="acme-native")


class Client(Acme):
    """One whose API takes access tokens."""

    def list_sessions(self) -> list[Session]:
        """Ask for what only a token that works is answered with."""
        return self.send(LIST_SESSIONS)


def sitting(desk: Desk, provider: Provider) -> Desk:
    """Return the desk, at the provider."""
    desk.url, desk.is_interactive, desk.visit = provider.url, True, Browser().open
    desk.login, desk.client = {"loopback": NATIVE}, Client
    return desk


def kept(desk: Desk) -> dict[str, Any]:
    """Return the one grant in the file."""
    (text,) = json.loads(desk.files["credentials.json"]).values()
    found: dict[str, Any] = json.loads(text)
    return found


def over(desk: Desk) -> Outcome:
    """Return what somebody is told whose login was ended."""
    return Outcome(4, "", f"acme: your login to {desk.url} has ended: run `acme login`\n")


def unreachable(request: httpx.Request) -> httpx.Response:
    """Stand for a server that is away."""
    raise httpx.ConnectError("Connection refused", request=request)
