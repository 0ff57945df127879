"""A JSON API in Litestar: notes that belong to whoever is signed in.

A guard keeps everybody else out, and a dependency gives each handler the session, typed.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate app:auth
uvicorn app:app --port 3000
"""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import portico
from litestar import Litestar, Router, delete, get, post
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from portico import Auth, EmailAndPassword, SessionData
from portico.hosts.litestar import current_session, mount, session_required
from portico.plugins.bearer import Bearer


class Api(portico.Api):
    bearer = Bearer()


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)

Caller = SessionData[portico.User, portico.Session]


@dataclass
class Draft:
    text: str


@dataclass
class Note:
    owner_id: str
    text: str
    id: UUID = field(default_factory=uuid4)


notes: dict[UUID, Note] = {}  # stands for a table of yours


@get("/")
async def list_notes(caller: Caller) -> list[Note]:
    """Return the caller's notes."""
    return [note for note in notes.values() if note.owner_id == caller.user.id]


@post("/")
async def add_note(data: Draft, caller: Caller) -> Note:
    """Keep a note for the caller."""
    note = Note(owner_id=caller.user.id, text=data.text)
    notes[note.id] = note
    return note


@delete("/{note_id:uuid}")
async def remove_note(note_id: UUID, caller: Caller) -> None:
    """Remove a note of the caller's; those of others do not exist for them."""
    note = notes.get(note_id)
    if note is None or note.owner_id != caller.user.id:
        raise NotFoundException
    del notes[note_id]


api = Router(
    "/notes",
    route_handlers=[list_notes, add_note, remove_note],
    guards=[session_required(auth)],
    dependencies={"caller": Provide(current_session(auth))},
)
app = Litestar([api])
mount(app, auth)
