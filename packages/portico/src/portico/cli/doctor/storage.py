"""Database and secondary storage."""

from collections.abc import Iterator
from typing import Any

from anyio import fail_after

from portico.auth import Auth
from portico.cli.doctor.finding import Examined, Finding, Probed, item, judged
from portico.crypto.random import random_letters
from portico.errors import ConfigError, StoreBusyError
from portico.store.ddl.plan import Plan
from portico.store.memory import MemoryStore
from portico.store.secondary import EmulatedStorage, MemorySecondaryStorage, SecondaryStorage

PATIENCE = 10
"""In seconds."""
LIFETIME = 10
"""Of the value that secondary storage is tried with, in seconds."""


def database(examined: Examined) -> Iterator[Finding]:
    """Look whether rows are kept, and whether the database is as the plugins need it."""
    auth, probed = examined.auth, examined.probed
    # With spans, the store is inside another one.
    if isinstance(getattr(auth.store, "store", auth.store), MemoryStore):
        yield judged(
            "database-durable",
            "warn" if auth.is_stateless else "fail",
            True,
            good="",
            says="rows live in the memory of each process and are gone with it",
            remedy="Auth(database='postgresql://user:password@host/name')",
        )
        return
    yield item("database-durable", "pass", "rows are in a database")
    yield judged(
        "database-reachable",
        "fail",
        probed.database_problem is not None,
        good="the database answers",
        says=f"the database does not answer: {probed.database_problem}",
        remedy="see that it runs and that this machine may enter it",
    )
    if probed.database_problem is None:
        yield judged(
            "database-schema",
            "fail",
            bool(probed.missing),
            good="the database has every table, column and index",
            says=f"the database lacks {', '.join(probed.missing)}",
            remedy=f"portico migrate {examined.target}",
        )
        yield judged(
            "database-fits",
            "fail",
            bool(probed.in_the_way),
            good="nothing in the database is in the way",
            says="; ".join(probed.in_the_way),
            remedy=f"change that; portico migrate {examined.target} --check says when it is done",
        )


def secondary(examined: Examined) -> Iterator[Finding]:
    """Look whether secondary storage works, and for whom."""
    storages = _storages(examined.auth)
    if not storages:
        return
    problem = examined.probed.secondary_problem
    yield judged(
        "secondary-storage-reachable",
        "fail",
        problem is not None,
        good="secondary storage keeps what it is given",
        says=f"secondary storage does not work: {problem}",
        remedy="see that it runs and that this machine may enter it",
    )
    own = any(isinstance(each, MemorySecondaryStorage) for each in storages)
    yield judged(
        "secondary-storage-shared",
        "fail" if own else "warn",
        own or any(isinstance(each, EmulatedStorage) for each in storages),
        good="secondary storage is for every process",
        says="secondary storage is in the memory of each process"
        if own
        else "secondary storage lacks get_and_delete or increment: what works once may work twice in two processes",
        remedy="secondary_storage=RedisStorage(client)",
    )


async def probe(auth: Auth[Any]) -> Probed:
    """Ask the database what it lacks, and try secondary storage."""
    plan = Plan()
    problem: str | None = None
    try:
        plan = await auth.plan_schema()
    except (ConfigError, StoreBusyError) as error:
        problem = str(error)
    finally:
        await auth.close()
    problems = [await _problem(storage) for storage in _storages(auth)]
    return Probed(
        missing=plan.names,
        in_the_way=plan.refusals,
        database_problem=problem,
        secondary_problem=next((each for each in problems if each is not None), None),
    )


def _storages(auth: Auth[Any]) -> list[SecondaryStorage]:
    given = (auth.secondary, auth.session_storage)
    return list({id(each): each for each in given if each is not None}.values())


async def _problem(storage: SecondaryStorage) -> str | None:
    """Return why a storage does not give back what it was given; its errors may hold URLs, so only their kind."""
    key, value = f"portico-doctor:{random_letters()}", random_letters()
    try:
        with fail_after(PATIENCE):
            await storage.set(key, value, LIFETIME)
            given = await storage.get(key)
            await storage.delete(key)
    except Exception as error:  # noqa: BLE001  # an object of the application's may raise whatever it likes
        return type(error).__name__
    return None if given == value else "it forgets"
