"""The jar of one client."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from client.runtime.acme import Acme, Face
from client.runtime.scripted import Scripted, reply
from portico_client_runtime import RequestOptions
from requirements import requirement

pytestmark = pytest.mark.anyio
FOREVER = "Expires=Fri, 31 Dec 2099 23:59:59 GMT"


async def cookies_after(face: Face, *lines: str, base_url: str = "https://auth.example.com") -> str:
    """Return the Cookie header of the request after a reply with these Set-Cookie lines."""
    server = Scripted(reply(None, 200, *(("set-cookie", line) for line in lines)), reply(None))
    client = face.open(base_url, transport=server.transport)
    await face.do(client.get_session)
    await face.do(client.get_session)
    header: str = server.last.headers.get("cookie", "")
    assert header == client.cookie_header()
    return header


@requirement("ARCH-client-cookies")
async def test_lines_count_in_their_order(face: Face) -> None:
    assert await cookies_after(face, "a=1; Path=/", "a=; Path=/; Max-Age=0") == ""
    assert await cookies_after(face, "a=; Path=/; Max-Age=0", "a=2; Path=/") == "a=2"
    assert await cookies_after(face, "a=1; Path=/", "a=2; Path=/", "b=3; Path=/") == "a=2; b=3"
    assert await cookies_after(face, "a=1; Path=/", "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT") == ""


@requirement("ARCH-client-cookies")
def test_threads_may_share_a_client() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        name = request.headers["x-name"]
        return reply(None, 200, ("set-cookie", f"{name}=1; Path=/"), ("set-cookie", f"{name}-gone=1; Max-Age=0"))

    def call(number: int) -> None:
        for each in range(20):
            client.get_session(options=RequestOptions(headers={"x-name": f"c{number}-{each}"}))
            assert f"c{number}-{each}=1" in client.cookie_header().split("; ")

    with Acme("http://localhost:3000", transport=httpx.MockTransport(answer)) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [None] * 8
        assert len(client.cookie_header().split("; ")) == 160


@requirement("ARCH-client-cookies")
async def test_values_come_back_as_they_were_set(face: Face) -> None:
    signed = "__Secure-better-auth.session_token=abc.d%2Be%2Ff%3D"
    assert await cookies_after(face, f"{signed}; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax") == signed
    assert await cookies_after(face, f'a="x,y"; Path=/; {FOREVER}; Partitioned') == 'a="x,y"'


@requirement("ARCH-client-cookies")
async def test_secure_cookies_are_for_https(face: Face) -> None:
    line = "__Secure-a=1; Path=/; Secure"
    assert await cookies_after(face, line, base_url="https://auth.example.com") == "__Secure-a=1"
    assert await cookies_after(face, line, base_url="http://auth.example.com") == ""


@requirement("ARCH-client-cookies")
async def test_cookies_are_for_their_path_and_domain(face: Face) -> None:
    lines = ("a=1; Path=/api", "b=2; Path=/other", "c=3; Domain=example.com; Path=/", "d=4; Domain=evil.com; Path=/")
    assert await cookies_after(face, *lines) == "a=1; c=3"
    assert await cookies_after(face, "a=1; Path=/", base_url="http://localhost:3000") == "a=1"
    assert await cookies_after(face, "a=1; Path=/", base_url="http://127.0.0.1:3000") == "a=1"
