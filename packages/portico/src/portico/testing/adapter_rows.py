"""The rows with which the suite tests an Adapter: people, their tickets, and the stamps on these."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from portico.ids import ids_of
from portico.schema import Column, Layout, Record, Row, Table
from portico.wire import Timestamp

START: Final = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class Person(Row):
    name: str
    email: Annotated[str, Column(unique=True)]
    verified: bool = False
    visits: int = 0
    limit: Annotated[int | None, Column(big=True)] = None
    joined_at: Timestamp
    nickname: str | None = None
    tags: list[Any] | dict[str, Any] | None = None


class Ticket(Row):
    holder_id: Annotated[str, Column(index=True, references="person.id")]
    code: Annotated[str, Column(unique=True)]


class Stamp(Row):
    ticket_id: Annotated[str | None, Column(references="ticket.id")] = None


class Sample(Row):
    """A column of every kind."""

    word: Literal["red", "green"] = "red"
    ratio: float | None = None
    size: Annotated[int | None, Column(big=True)] = None
    is_on: bool | None = None
    seen_at: Timestamp | None = None
    words: list[str] | None = None
    numbers: list[float] | None = None
    anything: Any = None


class Loan(Row):
    """Points to people who may go, and to one who may not."""

    reader_id: Annotated[str | None, Column(references="person.id", on_delete="set null")] = None
    owner_id: Annotated[str | None, Column(references="person.id", on_delete="restrict")] = None


class Coin(Row):
    """Its id is a number that the database counts."""

    name: str


class Toss(Row):
    coin_id: Annotated[str | None, Column(index=True, references="coin.id")] = None


class Slip(Row):
    """Its id is text that the database makes."""

    name: str


PEOPLE: Final[Table[Person]] = Table("person", Person, (), {})
TICKETS: Final[Table[Ticket]] = Table("ticket", Ticket, (), {})
STAMPS: Final[Table[Stamp]] = Table("stamp", Stamp, (), {})
SAMPLES: Final[Table[Sample]] = Table("sample", Sample, (), {})
LOANS: Final[Table[Loan]] = Table("loan", Loan, (), {})
COUNTED: Final = Layout(ids=ids_of("serial"))
COINS: Final[Table[Coin]] = Table("coin", Coin, (), {}, layout=COUNTED)
TOSSES: Final[Table[Toss]] = Table("toss", Toss, (), {}, layout=COUNTED)
SLIPS: Final[Table[Slip]] = Table("slip", Slip, (), {}, layout=Layout(ids=ids_of("database")))
TABLES: Final[Sequence[Table[Any]]] = (PEOPLE, TICKETS, STAMPS, SAMPLES, LOANS, COINS, TOSSES, SLIPS)

UNSTORABLE: Final[Sequence[tuple[str, Any]]] = [
    ("name", "a\0b"),
    ("name", "a\ud800"),
    ("name", 5),
    ("name", {"$ne": None}),
    ("visits", 2**63),
    ("visits", "1"),
    ("visits", float("nan")),
    ("verified", 1),
    ("joined_at", "2030-01-01T00:00:00.000Z"),
    ("joined_at", START.replace(tzinfo=None)),
    ("tags", ["\ud800"]),
    ("tags", [object()]),
]
"""Fields of a person, each with a value that it cannot hold."""


def person(index: int, **fields: Any) -> Record:
    """Return the record of the person `p<index>`."""
    return {
        "name": f"Person {index}",
        "email": f"p{index}@example.com",
        "verified": index % 2 == 0,
        "visits": index,
        "limit": None,
        "joined_at": START + timedelta(seconds=index),
        "nickname": None,
        "tags": None,
        "id": f"p{index}",
        **fields,
    }


def ticket(code: str, holder: str) -> Record:
    """Return the record of a ticket whose id is its code."""
    return {"id": code, "code": code, "holder_id": holder}
