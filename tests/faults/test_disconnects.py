"""Clients that hang up in the middle of everything: no connection is lost, and nothing is half written."""

import json
import random  # noqa: TID251  # a seed, so that a failure can be had again
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from app import CHEAP, SECRET
from faults.pools import pool_of
from live import live
from portico import Auth, EmailAndPassword, RateLimitOptions
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("F02")]

TIMES = 200
PASSWORD = "password123"
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER without patience: the connection ends with a reset, as when a phone loses its network."""
Way = Callable[[socket.socket, bytes, bytes, random.Random], None]


def after_the_headers(client: socket.socket, head: bytes, body: bytes, chance: random.Random) -> None:
    client.sendall(head)


def within_the_body(client: socket.socket, head: bytes, body: bytes, chance: random.Random) -> None:
    client.sendall(head + body[: chance.randrange(1, len(body))])


def after_the_request(client: socket.socket, head: bytes, body: bytes, chance: random.Random) -> None:
    client.sendall(head + body)
    # While the password is hashed, while rows are written, or when the answer is on its way.
    client.settimeout(chance.uniform(0.0001, 0.03))
    try:
        client.recv(1)
    except TimeoutError:
        return


WAYS: tuple[Way, ...] = (after_the_headers, within_the_body, after_the_request, after_the_request)


def hang_up(url: str, times: int) -> int:
    """Sign up that many people and leave without waiting; return how many requests were complete."""
    chance, place = random.Random(1), urlsplit(url)  # no secret
    complete = 0
    for number in range(times):
        way = chance.choice(WAYS)
        body = json.dumps({"name": "Ann", "email": f"gone{number}@example.com", "password": PASSWORD}).encode()
        head = (
            f"POST /api/auth/sign-up/email HTTP/1.1\r\nhost: {place.netloc}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=5) as client:
            way(client, head, body, chance)
            if chance.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        complete += way is after_the_request
    return complete


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
async def test_clients_that_hang_up_lose_no_connection_and_leave_nothing_half_written(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with pool_of(kind, request, tmp_path / "auth.db") as pool:

        def make(url: str) -> Auth[Any]:
            return Auth(
                secret=SECRET,
                base_url=url,
                database=pool.database,
                email_and_password=EmailAndPassword(enabled=True, password=CHEAP),
                rate_limit=RateLimitOptions(enabled=False),
            )

        seen = make("http://localhost")
        await seen.create_schema()

        def harm() -> int:
            with live(make) as url:
                complete = hang_up(url, TIMES)
                # Whoever comes next is served, one after the other and all at once.
                with httpx.Client(base_url=f"{url}/api/auth", headers={"origin": url}, timeout=10) as client:
                    for number in range(5):
                        person = {"name": "Bob", "email": f"here{number}@example.com", "password": PASSWORD}
                        assert client.post("/sign-up/email", json=person).status_code == 200
                        assert client.get("/get-session").json()["user"]["email"] == person["email"]
                return complete

        with anyio.fail_after(60):
            complete = await anyio.to_thread.run_sync(harm)
            assert complete > TIMES / 4
            await pool.becomes_idle()
            users = await seen.store.find_many(seen.tables["user"], limit=10_000)
            for name in ("account", "session"):
                rows = await seen.store.find_many(seen.tables[name], limit=10_000)
                assert sorted(row["user_id"] for row in rows) == sorted(user["id"] for user in users), name
            assert {f"here{number}@example.com" for number in range(5)} <= {user["email"] for user in users}
            assert len(users) <= complete + 5
        await seen.close()
