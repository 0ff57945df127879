"""Small documents of other servers, fetched without any library."""

import ssl
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

PATIENCE = 5
"""How long a server may take, in seconds."""
LARGEST = 256 * 1024
"""In bytes."""


def fetched(url: str) -> bytes:
    """Return what is at a URL, without following redirects.

    Raises:
        OSError: the server cannot be reached or takes too long.
        ValueError: it answers something else.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts)
    try:
        connection.request("GET", target, headers={"accept": "application/json"})
        with connection.getresponse() as response:
            return _whole(response, url)
    except HTTPException as error:
        raise ValueError(f"{url} does not speak HTTP") from error
    finally:
        connection.close()


def _whole(response: HTTPResponse, url: str) -> bytes:
    if response.status != HTTPStatus.OK:
        raise ValueError(f"{url} answered {response.status}")
    deadline = time.monotonic() + PATIENCE
    body = b""
    while part := response.read1():
        body += part
        if len(body) > LARGEST or time.monotonic() > deadline:
            raise ValueError(f"{url} answers too much or too slowly")
    return body


def _connection(parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=PATIENCE)
    return HTTPSConnection(host, parts.port, timeout=PATIENCE, context=ssl.create_default_context())
