"""What the suite of an Adapter expects, without pytest."""

from collections.abc import Generator
from contextlib import contextmanager


def equal(actual: object, expected: object) -> None:
    """Fail unless both are the same, and show them."""
    if actual != expected:
        raise AssertionError(f"got\n  {actual!r}\nexpected\n  {expected!r}")


@contextmanager
def refused(kind: type[BaseException]) -> Generator[list[BaseException]]:
    """Fail unless the block raises `kind`; the list then holds what it raised."""
    caught: list[BaseException] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    if not caught:
        raise AssertionError(f"{kind.__name__} was not raised")
