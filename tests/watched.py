"""A store and a hasher that keep what they are asked to do: work that cannot be measured can be counted."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any


class Watched:
    """A store, or the store of a transaction, that keeps the names of what it is asked to do."""

    def __init__(self, store: Any, work: list[str]) -> None:
        self._store = store
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return self._kept(name, getattr(self._store, name))

    def _kept(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*args: Any, **options: Any) -> Any:
            if hasattr(args[0] if args else None, "row"):
                self._work.append(f"{name} {args[0].name}")
            return await method(*args, **options)

        return run

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Watched", None]:
        self._work.append("transaction")
        async with self._store.transaction() as store:
            yield Watched(store, self._work)


class Hasher:
    """Worthless, and counted among the work."""

    def __init__(self, work: list[str]) -> None:
        self._work = work
        self.longest = 0
        """In UTF-16 units: the longest password that was hashed."""

    def hash(self, password: str, /) -> str:
        self._keep(password)
        return "hashed:" + password

    def verify(self, password: str, hashed: str, /) -> bool:
        self._keep(password)
        return hashed == "hashed:" + password

    def _keep(self, password: str) -> None:
        self._work.append("hash")
        self.longest = max(self.longest, len(password.encode("utf-16-le", "surrogatepass")) // 2)
