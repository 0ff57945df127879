"""A process that writes to a database: started by the tests, told by arguments what to do and by its input when."""

import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import anyio

from portico.store.adapter import Adapter, Where
from portico.store.connect import open_store
from portico.testing.adapter_rows import PEOPLE, TICKETS, person, ticket


async def write(store: Adapter, first: int, tasks: int, each: int) -> None:
    """Add people from `first` on, many at once, and say who was added."""

    async def add(start: int) -> None:
        for index in range(start, start + each):
            await add_holder(store, index)

    async with anyio.create_task_group() as group:
        for task in range(tasks):
            group.start_soon(add, first + task * each)


async def add_holder(store: Adapter, index: int) -> None:
    async with store.transaction() as inside:
        await inside.create(PEOPLE, person(index))
        await inside.create(TICKETS, ticket(f"t{index}", f"p{index}"))
    say(f"p{index}")


async def consume(store: Adapter, rows: int) -> None:
    """Try to take every person, many tasks for each, and say who was taken."""

    async def take(index: int) -> None:
        if await store.consume_one(PEOPLE, [Where("id", f"p{index}")]):
            say(f"p{index}")

    async with anyio.create_task_group() as group:
        for index in range(rows):
            for _ in range(4):
                group.start_soon(take, index)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


JOBS: Mapping[str, Callable[..., Coroutine[Any, Any, None]]] = {"write": write, "consume": consume}


def fork(store: Adapter) -> None:
    """Use the store, fork, and use it in both processes; an event loop is not forked."""
    anyio.run(add_holder, store, 0)
    child = os.fork()
    anyio.run(add_holder, store, 1 if child else 2)
    anyio.run(store.find_one, PEOPLE, [Where("id", "p0")])
    if child:
        os.waitpid(child, 0)
    anyio.run(store.close)


def main(path: str, job: str, *numbers: str) -> None:
    store = open_store(f"sqlite:///{path}")
    say("ready")
    sys.stdin.readline()
    if job == "fork":
        fork(store)
    else:
        anyio.run(JOBS[job], store, *map(int, numbers))
        anyio.run(store.close)


if __name__ == "__main__":
    main(*sys.argv[1:])
