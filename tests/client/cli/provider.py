"""An OAuth provider on loopback whose users say yes: a refresh token works once, and ends all if it comes again."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

Query = dict[str, str]
Answer = tuple[int, Mapping[str, str], bytes]
HOUR = 3600
CLAIMS = {"sub": "u1", "name": "Ann", "email": "ann@example.com", "email_verified": True}


def raw(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Return an answer of any kind."""
    return status, {name.replace("_", "-"): text for name, text in headers.items()}, body


def answer(value: object, status: int = 200, **headers: str) -> Answer:
    """Return a JSON answer."""
    return raw(status, json.dumps(value).encode(), content_type="application/json", **headers)


def refusal(error: str, status: int = 400) -> Answer:
    """Return a refusal in the words of RFC 6749 §5.2."""
    return answer({"error": error, "error_description": f"No: {error}"}, status)


@dataclass
class Provider:
    """What it was asked, and what it gave. Its tokens are numbered: access-1, refresh-1, access-2 and so on."""

    url: str = ""
    path: str = "/.well-known/oauth-authorization-server/api/auth"
    """Where its metadata is."""
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What differs in its metadata; None is left out."""
    decide: Callable[[Query], Query] = lambda query: {"code": "the-code", "state": query["state"]}
    """What its page sends back."""
    gives: dict[str, Any] = field(default_factory=dict[str, Any])
    """What differs in its tokens; None is left out."""
    instead: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What paths answer instead of what they should."""
    lines: list[str] = field(default_factory=list[str])
    """Method and path of each request."""
    asked: list[Query] = field(default_factory=list[Query])
    """What its page was opened with."""
    forms: list[Query] = field(default_factory=list[Query])
    """What was posted."""
    live: set[str] = field(default_factory=set[str])
    """The tokens that work."""
    meanwhile: Callable[[], object] = lambda: None
    """What is done while a token is being renewed."""
    _given: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def issuer(self) -> str:
        return f"{self.url}/api/auth"

    def handle(self, method: str, target: str, bearer: str, form: Query) -> Answer:
        parts = urlsplit(target)
        with self._lock:
            self.lines.append(f"{method} {parts.path}")
            if form:
                self.forms.append(form)
        answers: dict[str, Callable[[], Answer]] = {
            f"GET {self.path}": self._metadata,
            "GET /authorize": lambda: self._page(dict(parse_qsl(parts.query))),
            "GET /userinfo": lambda: self._api(bearer, CLAIMS),
            "GET /api/auth/list-sessions": lambda: self._api(bearer, []),
            "POST /token": lambda: self._token(form),
            "POST /revoke": lambda: self._revoked(form),
        }
        found = answers.get(f"{method} {parts.path}", lambda: raw(404))
        return self.instead.get(parts.path) or found()

    def _metadata(self) -> Answer:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "revocation_endpoint": f"{self.url}/revoke",
            "code_challenge_methods_supported": ["S256"],
            **self.said,
        }
        return answer({name: value for name, value in said.items() if value is not None})

    def _page(self, query: Query) -> Answer:
        self.asked.append(query)
        return raw(302, location=f"{query['redirect_uri']}?{urlencode(self.decide(query))}")

    def _api(self, bearer: str, value: object) -> Answer:
        if bearer in self.live:
            return answer(value)
        return answer({}, 401, www_authenticate='Bearer error="invalid_token"')

    def _revoked(self, form: Query) -> Answer:
        self.live.discard(form["token"])
        return raw(200)

    def _token(self, form: Query) -> Answer:
        if form["grant_type"] == "authorization_code":
            return self._tokens() if self._is_asked(form) else refusal("invalid_grant")
        self.meanwhile()
        with self._lock:
            if form["refresh_token"] not in self.live:
                self.live.clear()
                return refusal("invalid_grant")
            self.live.clear()
            return self._tokens()

    def _is_asked(self, form: Query) -> bool:
        asked = self.asked[-1]
        digest = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        return (
            form["code"] == "the-code"
            and all(form.get(name) == asked.get(name) for name in ("redirect_uri", "client_id", "resource"))
            and digest == asked["code_challenge"]
        )

    def _tokens(self) -> Answer:
        self._given += 1
        tokens = {
            "access_token": f"access-{self._given}",
            "token_type": "Bearer",
            "expires_in": HOUR,
            "refresh_token": f"refresh-{self._given}",
            **self.gives,
        }
        self.live |= {str(tokens[name]) for name in ("access_token", "refresh_token")}
        return answer({name: value for name, value in tokens.items() if value is not None})

    def renewals(self) -> list[str]:
        """Return the refresh tokens that came."""
        return [form["refresh_token"] for form in self.forms if form.get("grant_type") == "refresh_token"]


class Browser:
    """Opens a page, follows where it leads and keeps what is shown in the end."""

    def __init__(self) -> None:
        self.seen: list[httpx.Response] = []

    def open(self, url: str) -> bool:
        self.seen.append(httpx.get(url, follow_redirects=True))
        return True


@contextmanager
def serving(provider: Provider) -> Generator[None]:
    """Serve a provider, and tell it where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(dict(parse_qsl(body.decode())))

        def _answer(self, form: Query) -> None:
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
            status, headers, body = provider.handle(self.command, self.path, bearer, form)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body)), "connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
