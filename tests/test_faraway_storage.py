"""Secondary storage whose answers take their time: what many tasks do with it at once."""

from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from app import content, make, signed_up
from portico import Auth, MemorySecondaryStorage, SessionOptions
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

NAME = "reset-password:abc"
TASKS = 8


class Faraway(MemorySecondaryStorage):
    """Lets others do something before each answer."""

    async def get(self, key: str) -> str | None:
        await checkpoint()
        return await super().get(key)

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        await checkpoint()
        await super().set(key, value, ttl)

    async def delete(self, key: str) -> None:
        await checkpoint()
        await super().delete(key)

    async def get_and_delete(self, key: str) -> str | None:
        await checkpoint()
        return await super().get_and_delete(key)

    async def increment(self, key: str, ttl: int) -> int:
        await checkpoint()
        return await super().increment(key, ttl)


def far_from(clock: Clock, **options: Any) -> tuple[Auth[Any], Faraway]:
    storage = Faraway(clock)
    return make(clock, secondary_storage=storage, **options), storage


async def at_once(*calls: Any) -> list[Any]:
    """Return what calls answer that begin together."""
    answers: list[Any] = []

    async def one(call: Any) -> None:
        answers.append(await call())

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for call in calls:
                tasks.start_soon(one, call)
    return answers


@requirement("ARCH-verification", "S-157")
async def test_of_many_tasks_one_takes_a_value_one_claims_a_name_and_every_count_counts() -> None:
    auth, _ = far_from(Clock())
    ctx, verifications = auth.context(None), auth.verifications
    for name, value in ((NAME, "x"), ("counted", "0")):
        await verifications.put(ctx, name, value, 60)

    async def count() -> None:
        while (seen := await verifications.get(ctx, "counted")) is not None:
            if await verifications.swap(ctx, "counted", seen, str(int(seen) + 1)):
                return

    taken = await at_once(*[lambda: verifications.take(ctx, NAME)] * TASKS)
    claimed = await at_once(*[lambda: verifications.claim(ctx, "claimed", 60)] * TASKS)
    await at_once(*[count] * TASKS)
    assert sorted(taken, key=str) == [None] * (TASKS - 1) + ["x"]
    assert sorted(claimed) == [False] * (TASKS - 1) + [True]
    assert await verifications.get(ctx, "counted") == str(TASKS)


@requirement("ARCH-verification")
async def test_what_is_taken_while_it_changes_does_not_come_back() -> None:
    auth, storage = far_from(Clock())
    ctx, verifications = auth.context(None), auth.verifications
    for _ in range(20):
        await verifications.put(ctx, NAME, "0", 60)
        await at_once(lambda: verifications.swap(ctx, NAME, "0", "1"), lambda: verifications.take(ctx, NAME))
        await verifications.take(ctx, NAME)
        assert await verifications.get(ctx, NAME) is None
        assert storage.list_keys() == []


@requirement("ARCH-verification")
async def test_a_value_whose_time_is_set_to_now_is_gone() -> None:
    auth, storage = far_from(Clock())
    ctx, verifications = auth.context(None), auth.verifications
    await verifications.put(ctx, NAME, "x", 60)
    assert await verifications.update(ctx, {"identifier": NAME}, expires_at=ctx.now()) is not None
    assert (await verifications.get(ctx, NAME), storage.list_keys()) == (None, [])
    assert await verifications.update(ctx, {"identifier": NAME}, value="y") is None
    assert storage.list_keys() == []


@requirement("ARCH-secondary", "S-157")
async def test_of_many_tasks_one_takes_a_session() -> None:
    auth, storage = far_from(Clock())
    browser = await signed_up(auth)
    token: str = content(await browser.get("/get-session"))["session"]["token"]
    taken = await at_once(*[lambda: auth.sessions.consume(auth.context(None), token=token)] * TASKS)
    assert [session.token for session in taken if session is not None] == [token]
    assert storage.list_keys() == []


@requirement("ARCH-secondary", "S-003")
@pytest.mark.parametrize("is_stored", [False, True])
async def test_a_session_that_ends_while_it_is_used_does_not_come_back(*, is_stored: bool) -> None:
    for steps in range(24):
        clock = Clock()
        options = SessionOptions(update_age=60, store_session_in_database=is_stored)
        auth, storage = far_from(clock, session=options)
        browser = await signed_up(auth)
        token: str = content(await browser.get("/get-session"))["session"]["token"]
        clock.advance(61)

        async def end(auth: Auth[Any] = auth, token: str = token, steps: int = steps) -> None:
            for _ in range(steps):
                await checkpoint()
            await auth.sessions.delete(auth.context(None), token=token)

        await at_once(lambda browser=browser: browser.get("/get-session"), end)
        assert storage.list_keys() == [], steps
        assert await auth.store.count(auth.tables["session"]) == 0
