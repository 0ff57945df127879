"""A provider of accounts on loopback, whose answers follow from what it is sent, so that they are always the same."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl

HOUR = 3600


@dataclass
class OAuthServer:
    """What a provider was asked; a refresh token works once, and its words say how the answer is."""

    url: str = ""
    forms: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    bearers: list[str] = field(default_factory=list[str])
    takes_tokens_once: bool = True
    lifetime: Any = HOUR
    """What it says of how long a token lasts."""
    _used: set[str] = field(default_factory=set[str])
    _lock: Lock = field(default_factory=Lock)

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        """Answer a refresh: the next tokens are numbered after the one that was sent; a code gives the first."""
        token = form.get("refresh_token", "")
        with self._lock:
            self.forms.append(form)
            is_used = token in self._used
            self._used.add(token)
        if form.get("grant_type") == "authorization_code":
            return 200, {
                "access_token": "access",
                "refresh_token": "refresh",
                "token_type": "bearer",
                "expires_in": HOUR,
            }
        if "moved" in token:
            return 302, {}
        if "refused" in token or (is_used and self.takes_tokens_once):
            return 400, {"error": "invalid_grant"}
        if "page" in token:
            return 200, "<html></html>"
        if "nothing" in token:
            return 200, {"token_type": "bearer"}
        answer: dict[str, Any] = {"access_token": f"access for {token}", "token_type": "bearer", "scope": "openid"}
        if "endless" not in token:
            answer |= {"expires_in": self.lifetime}
        if "lasting" not in token:
            answer |= {
                "refresh_token": f"{token}+",
                "refresh_token_expires_in": 24 * HOUR,
                "id_token": f"id for {token}",
            }
        return 200, answer

    def user_info(self, bearer: str) -> tuple[int, Any]:
        """Answer with the profile of the user whose token this is."""
        with self._lock:
            self.bearers.append(bearer)
        if "revoked" in bearer:
            return 401, {"error": "invalid_token"}
        if "page" in bearer:
            return 200, "<html></html>"
        if "bare" in bearer:
            return 200, {"sub": "7"}
        verified: Any = "true" if "text" in bearer else True
        return 200, {
            "sub": "42",
            "name": "Ann at the provider",
            "email": "ann@provider.test",
            "email_verified": verified,
            "picture": "https://provider.test/ann.png",
            "groups": ["staff"],
        }


@contextmanager
def oauth_server() -> Generator[OAuthServer]:
    """Serve a provider and yield it."""
    provider = OAuthServer()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            self._send(*provider.token(dict(parse_qsl(body.decode()))))

        def do_GET(self) -> None:
            self._send(*provider.user_info(self.headers.get("authorization", "").removeprefix("Bearer ")))

        def _send(self, status: int, content: Any) -> None:
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            kind = "text/html" if isinstance(content, str) else "application/json"
            self.send_response(status)
            for name, value in (("content-type", kind), ("content-length", str(len(body))), ("connection", "close")):
                self.send_header(name, value)
            if status == 302:
                self.send_header("location", f"{provider.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="provider")
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
