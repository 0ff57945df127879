"""What costs nothing else cannot be measured: the same work, whether or not somebody has an address."""

from typing import Any

import pytest

from app import ORIGIN, content, make, signed_up
from portico import Auth, MemoryStore, Request, User
from portico.testing import Browser, Clock
from postbox import Postbox, request
from requirements import requirement
from watched import Hasher, Watched

pytestmark = [pytest.mark.anyio, requirement("E01", "E02")]

ANN, NOBODY = "ann@example.com", "nobody@example.com"


async def fail(user: User, request: Request | None) -> None:
    raise ConnectionError("nobody listens")


async def prepared(**password: Any) -> tuple[Auth[Any], Browser, list[str]]:
    """Return an application where Ann has an account, and the list to which its work is added."""
    work: list[str] = []
    hasher = Hasher(work)
    options = Postbox().options(password={"password": hasher, "on_existing_user_sign_up": fail, **password})
    store: Any = Watched(MemoryStore(), work)
    auth = make(Clock(), **options, database=store)
    browser = await signed_up(auth, ANN)
    return auth, browser, work


async def answered(auth: Auth[Any], browser: Browser, work: list[str], path: str, body: dict[str, Any]) -> Any:
    """Return what everybody can see and measure of an answer; mails and other work come after it."""
    work.clear()
    response = await auth.handler(request(browser, path, body))
    reply = content(response)
    if isinstance(reply.get("user"), dict):
        reply["user"].pop("id")
        reply["user"].pop("email")
    done = list(work)
    await auth.finish(response)
    return response.status, response.headers, reply, done


@pytest.mark.parametrize(
    ("path", "field", "rest"),
    [
        ("/sign-in/email", "email", {"password": "wrong password"}),
        ("/request-password-reset", "email", {}),
        ("/forget-password", "email", {"redirectTo": "/reset"}),
        ("/send-verification-email", "email", {}),
    ],
)
async def test_a_known_and_an_unknown_address_cost_the_same(path: str, field: str, rest: dict[str, Any]) -> None:
    auth, _, work = await prepared()
    known, unknown = [
        await answered(auth, Browser(auth, ORIGIN), work, path, {field: each, **rest}) for each in (ANN, NOBODY)
    ]
    assert known == unknown
    assert known[3] != []


async def test_a_taken_and_a_free_address_cost_the_same_to_who_changes_theirs() -> None:
    auth, _, work = await prepared()
    bob = await signed_up(auth, "bob@example.com")
    taken, free = [await answered(auth, bob, work, "/change-email", {"newEmail": each}) for each in (ANN, NOBODY)]
    assert taken == free
    assert taken[2] == {"status": True}


@requirement("B-25", "F07")
@pytest.mark.parametrize("password", [{"require_email_verification": True}, {"auto_sign_in": False}], ids=str)
async def test_a_taken_and_a_new_address_cost_the_same_where_sign_up_does_not_tell(password: dict[str, Any]) -> None:
    auth, _, work = await prepared(**password)
    body = {"name": "Ann", "password": "another password", "username": "annie2", "nickname": "n"}
    taken, new = [
        await answered(auth, Browser(auth, ORIGIN), work, "/sign-up/email", {**body, "email": each})
        for each in (ANN, NOBODY)
    ]
    assert taken == new
    assert [each for each in new[3] if each.startswith(("hash", "transaction", "create"))] == [
        "hash",
        "transaction",
        "create user",
        "create account",
    ]
    assert await auth.store.count(auth.tables["user"]) == 2
    assert await auth.store.count(auth.tables["account"]) == 2
