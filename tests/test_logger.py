"""Where an Auth says what it warns of and what failed."""

import logging
from typing import Any

import pytest

from app import plain, signed_up
from portico import ConfigError, HookContext, MemorySecondaryStorage, before_update
from portico.store.secondary import PlainStorage
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("CONF-logger")]
CALL = "POST /update-user failed"


class Kept(logging.Handler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def logger_to(kept: Kept, level: int = logging.DEBUG) -> logging.Logger:
    logger = logging.getLogger(f"shop.auth.{id(kept)}")
    logger.propagate = False
    logger.setLevel(level)
    logger.addHandler(kept)
    return logger


class ThreeMethods:
    """A storage that cannot count."""

    def __init__(self) -> None:
        self._inside = MemorySecondaryStorage()
        self.get, self.set, self.delete = self._inside.get, self._inside.set, self._inside.delete


@before_update("user")
async def broken(ctx: HookContext, values: object) -> None:
    raise LookupError


async def fail(**options: Any) -> None:
    """Let a call fail in a hook of the application."""
    browser = await signed_up(plain(database_hooks=[broken], **options))
    assert (await browser.post("/update-user", {"name": "Bob"})).status == 500


@pytest.mark.undescribed("what hooks raise is not known")
async def test_each_auth_tells_its_own_logger(caplog: pytest.LogCaptureFixture) -> None:
    shop, admin = Kept(), Kept()
    storage: PlainStorage = ThreeMethods()
    await fail(logger=logger_to(shop), secondary_storage=storage, secret="short")
    await fail(logger=logging.LoggerAdapter(logger_to(admin), {"tenant": "admin"}))
    emulated = "ThreeMethods has no get_and_delete and no increment: they are emulated under a lock of this process"
    assert [line.partition(", and limits")[0] for line in shop.lines] == [
        "WARNING the secret has fewer than 32 characters: `portico secret` makes one",
        f"WARNING {emulated}",
        f"ERROR {CALL}",
    ]
    assert admin.lines == [f"ERROR {CALL}"]
    assert caplog.records == []


@pytest.mark.undescribed("what hooks raise is not known")
async def test_its_level_decides_what_is_told() -> None:
    kept = Kept()
    await fail(logger=logger_to(kept, logging.ERROR), secret="short")
    assert kept.lines == [f"ERROR {CALL}"]


@pytest.mark.undescribed("what hooks raise is not known")
async def test_nothing_is_told_where_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    await fail(logger=False, secret="short")
    assert caplog.records == []


@pytest.mark.undescribed("what hooks raise is not known")
async def test_by_default_it_is_the_logger_of_the_library(caplog: pytest.LogCaptureFixture) -> None:
    await fail()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("portico", CALL)]


@pytest.mark.parametrize("given", ["portico", True, print])
def test_what_is_no_logger_is_a_mistake(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"\(logger=...\) takes Logger or LoggerAdapter or False, not "):
        plain(logger=given)
