"""Signing in on a page of the server, whose answer comes back to this machine. See RFC 8252 and RFC 7636."""

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from portico_client_runtime import BaseClient
from portico_client_runtime.cli.authorization_server import (
    GRANT_TYPE,
    METHOD,
    AuthorizationServer,
    Tokens,
    exchanged,
)
from portico_client_runtime.cli.console import printable, say
from portico_client_runtime.cli.errors import LoginError
from portico_client_runtime.cli.machine import Machine
from portico_client_runtime.errors import ConfigError

ADDRESS = "127.0.0.1"
PATH = "/callback"
WHO = "openid"
OFFLINE = "offline_access"
PATIENCE = 300.0
"""Seconds that a user has for the page."""
SILENCE = 10
"""Seconds after which a connection without a request is closed."""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Signing in</title>
<p>{said} You may close this page and go back to the terminal.</p></html>
"""
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "connection": "close",
}

Answer = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Loopback:
    """What a tool is at a server that is an OAuth provider: a public, native client (RFC 8252)."""

    client_id: str
    """What the provider knows it by; its redirect URI there is `http://127.0.0.1/callback`, with any port."""

    scopes: Sequence[str] = (WHO, "profile", "email", OFFLINE)
    """What it asks for: `openid` always, because the server is asked who has signed in, and `offline_access`, to which
    the user agrees at every login, for one that outlives its first access token."""

    resource: str | None = None
    """The URL of the API that access tokens are for (RFC 8707), where the provider has several."""

    def __post_init__(self) -> None:
        """Refuse what could not say who has signed in."""
        if WHO not in self.scopes:
            raise ConfigError(f"scopes must have {WHO!r}: whoami is answered by it")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The secrets of one login."""

    state: str
    verifier: str

    @property
    def challenge(self) -> str:
        """What the server is told of the verifier. See RFC 7636 §4.2."""
        return _text(sha256(self.verifier.encode()).digest())


def log_in_by_loopback(
    client: BaseClient[Any],
    server: AuthorizationServer,
    tool: Loopback,
    machine: Machine,
    *,
    timeout: float = PATIENCE,
) -> Tokens | None:
    """Open the server's page, wait `timeout` seconds for its answer, and return the tokens; None without a browser.

    Raises:
        LoginError: The user said no, nothing came in time, or the answer is another server's.
        AuthError: The server refused the code, or did not answer.
    """
    attempt = Attempt(state=_text(os.urandom(32)), verifier=_text(os.urandom(32)))
    with _listening(attempt.state) as (redirect_uri, answers):
        page = _page(server, attempt, redirect_uri, tool)
        # What a browser elsewhere is sent to is not this machine.
        if not machine.open_browser(page):
            return None
        say(f"Your browser has been told to open {printable(page)}")
        say("Waiting for your answer there; Ctrl+C gives up.")
        try:
            answer = answers.get(timeout=timeout)
        except Empty:
            raise LoginError("nothing came back from the browser in time: log in again") from None
    grant = {
        "grant_type": GRANT_TYPE,
        "code": _code(answer, server),
        "redirect_uri": redirect_uri,
        "client_id": tool.client_id,
        "code_verifier": attempt.verifier,
        **_target(tool),
    }
    return exchanged(client, server, grant)


def _target(tool: Loopback) -> Mapping[str, str]:
    return {} if tool.resource is None else {"resource": tool.resource}


def _consent(tool: Loopback) -> Mapping[str, str]:
    # Without it providers pass over `offline_access`, as OpenID Connect Core §11 has them.
    return {"prompt": "consent"} if OFFLINE in tool.scopes else {}


def _page(server: AuthorizationServer, attempt: Attempt, redirect_uri: str, tool: Loopback) -> str:
    query = {
        "response_type": "code",
        "client_id": tool.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(tool.scopes),
        "state": attempt.state,
        "code_challenge": attempt.challenge,
        "code_challenge_method": METHOD,
        **_consent(tool),
        **_target(tool),
    }
    separator = "&" if urlsplit(server.authorization_endpoint).query else "?"
    return f"{server.authorization_endpoint}{separator}{urlencode(query)}"


def _code(answer: Answer, server: AuthorizationServer) -> str:
    """Return the code of an answer that is this server's."""
    issuer = answer.get("iss")
    # See RFC 9207 §2.4, which comes ahead of everything else that the answer says.
    if issuer != server.issuer and (issuer is not None or server.authorization_response_iss_parameter_supported):
        raise LoginError("the answer is not from the server that was asked")
    if answer.get("error") == "access_denied":
        raise LoginError("the request was denied in the browser")
    if "error" in answer:
        raise LoginError(f"the server refused: {answer.get('error_description') or answer['error']}")
    if not answer.get("code"):
        raise LoginError("the answer of the server has no code")
    return answer["code"]


@contextmanager
def _listening(state: str) -> Generator[tuple[str, SimpleQueue[Answer]]]:
    """Yield the address that an answer goes to, and where it is then; only one with `state` is one."""
    answers: SimpleQueue[Answer] = SimpleQueue()

    class Handler(_Handler):
        expected = state
        found = answers

    with _Listener((ADDRESS, 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{ADDRESS}:{listener.server_port}{PATH}", answers
        finally:
            listener.shutdown()
            thread.join()


class _Listener(ThreadingHTTPServer):
    """Threads, because browsers open connections ahead of what they send."""

    # Elsewhere than on POSIX this would let others take the port as well.
    allow_reuse_address = os.name == "posix"
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE
    expected: ClassVar[str]
    found: ClassVar[SimpleQueue[Answer]]

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        pairs = parse_qsl(target.query, keep_blank_values=True)
        answer = dict(pairs)
        # What is not the answer changes nothing: whoever guesses cannot end the login either.
        if target.path != PATH or len(pairs) != len(answer) or not self._is_expected(answer):
            self._send(400, "This is not the answer that was waited for.")
            return
        self._send(200, "That did not work." if "code" not in answer else "The tool goes on.")
        self.found.put(answer)

    def _is_expected(self, answer: Answer) -> bool:
        state = answer.get("state", "").encode()
        return hmac.compare_digest(state, self.expected.encode())

    def _send(self, status: int, said: str) -> None:
        body = PAGE.format(said=said).encode()
        self.send_response(status)
        for name, value in {**HEADERS, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the line has the code in it."""


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
