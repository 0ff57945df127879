import subprocess
import sys
from pathlib import Path
from threading import Event

import httpx
import pytest
from anyio import to_thread

from app import ORIGIN, plain
from hosts.conformance.mirror import Greeter, Mirror
from portico.testing import Outbox
from requirements import requirement

ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
HEADERS = {"origin": ORIGIN}
BASE = f"{ORIGIN}/api/auth"


@requirement("ARCH-transport")
@pytest.mark.anyio
async def test_an_async_client_signs_up_and_keeps_its_cookies() -> None:
    async with httpx.AsyncClient(transport=plain().transport(), base_url=BASE, headers=HEADERS) as http:
        signed = await http.post("/sign-up/email", json=ANN)
        session = await http.get("/get-session")
    assert session.json()["session"]["token"] == signed.json()["token"]


@requirement("ARCH-transport")
def test_a_sync_client_does_the_same() -> None:
    with httpx.Client(transport=plain().transport(), base_url=BASE, headers=HEADERS) as http:
        signed = http.post("/sign-up/email", json=ANN)
        session = http.get("/get-session")
    assert session.json()["session"]["token"] == signed.json()["token"]


@requirement("ARCH-transport", "C01")
@pytest.mark.anyio
async def test_what_holds_over_http_holds_here() -> None:
    auth = plain()
    async with httpx.AsyncClient(transport=auth.transport(), base_url=BASE, headers=HEADERS) as http:
        await http.post("/sign-up/email", json=ANN)
        refused = await http.post("/sign-out", json={}, headers={"origin": "https://evil.example"})
        assert (refused.status_code, refused.json()["code"]) == (403, "INVALID_ORIGIN")
        assert (await http.get("/get-session")).json() is not None


@requirement("ARCH-transport", "ARCH-raw-path")
@pytest.mark.anyio
async def test_the_request_arrives_as_it_was_sent() -> None:
    async with httpx.AsyncClient(transport=plain(Mirror()).transport(), base_url=BASE) as http:
        seen = (await http.post("/mirror/a%20b?x=%2F&x=2", json="12345", headers={"x-mark": "1"})).json()
    assert seen == {
        "method": "POST",
        "path": "/api/auth/mirror/a%20b",
        "query": "x=%2F&x=2",
        "peer": "127.0.0.1",
        "marks": "1",
        "size": 7,
    }


@requirement("ARCH-transport", "ARCH-background")
@pytest.mark.anyio
async def test_work_is_done_after_the_answer() -> None:
    outbox, done = Outbox(), Event()
    auth = plain(Greeter(outbox=outbox, done=done))
    async with httpx.AsyncClient(transport=auth.transport(), base_url=BASE) as http:
        answer = await http.post("/greet")
    assert (answer.json(), len(outbox.mails)) == ({"status": True}, 1)

    def greet() -> httpx.Response:
        with httpx.Client(transport=auth.transport(), base_url=BASE) as http:
            return http.post("/greet")

    await to_thread.run_sync(greet)
    assert len(outbox.mails) == 2


@requirement("ARCH-transport")
def test_serving_needs_no_client() -> None:
    code = "import sys; sys.modules['httpx'] = None; from app import plain; plain().transport()"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert "ConfigError: auth.transport() needs httpx: pip install httpx" in run.stderr
