"""Declarations of endpoints and hooks that cannot be meant are refused where they are written."""

from typing import Any

import pytest

from portico import ConfigError, Context, Route, Status, before, before_create, endpoint
from requirements import requirement


async def good(self: object, ctx: Context) -> Status:
    return Status(status=True)


async def of_note(self: object, ctx: Context, note_id: str) -> Status:
    return Status(status=True)


async def untyped(self: object, ctx: Context):  # type: ignore[no-untyped-def]  # the mistake
    return Status(status=True)


async def loose(self: object, ctx: Context, body: dict[str, str]) -> Status:
    return Status(status=bool(body))


def sync(self: object, ctx: Context) -> Status:
    return Status(status=True)


MISTAKES: list[tuple[tuple[Any, ...], Any, dict[str, Any], str]] = [
    (("POST", "/note"), sync, {}, "the endpoint sync: write `async def`"),
    (("POST", "/note"), untyped, {}, "the endpoint untyped has no annotation of its reply"),
    (
        ("POST", "/note"),
        good,
        {"session": "requird"},
        "has session='requird': there are none, own, optional, .* resource",
    ),
    (("POST", "/note"), good, {"session": ("fresh", "strict")}, "has session='strict'"),
    ((Route("POST", "/note"), Route("GET", "/n", session="yes")), good, {}, "has session='yes'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    (("POST", "/note"), loose, {}, r"reads its body as .*: declare a subclass of portico\.Wire"),
    (("POST", "note"), good, {}, "answers 'POST' 'note': there are GET, POST, PUT, PATCH, DELETE, and paths from /"),
    (("post", "/note"), good, {}, "answers 'post' '/note'"),
    (("POST", "/note"), of_note, {}, r"reads \['note_id'\] and '/note' has other placeholders"),
    (("POST", "/note/{id}"), of_note, {}, r"reads \['note_id'\] and '/note/\{id\}' has other placeholders"),
    (("POST", "/note/{note_id}"), good, {}, r"reads \[\] and '/note/\{note_id\}' has other placeholders"),
]


@requirement("CONF-endpoints")
@pytest.mark.parametrize(("routes", "handler", "options", "message"), MISTAKES)
def test_an_endpoint_that_would_be_served_to_nobody_or_to_everybody_is_a_mistake(
    routes: tuple[Any, ...], handler: Any, options: dict[str, Any], message: str
) -> None:
    declare: Any = endpoint
    declare("POST", "/note/{note_id}", session="required")(of_note)
    with pytest.raises(ConfigError, match=message):
        declare(*routes, **options)(handler)


@requirement("CONF-hooks")
@pytest.mark.parametrize("decorator", [before("/sign-in/email"), before_create("user")])
def test_a_hook_that_cannot_be_awaited_is_a_mistake(decorator: Any) -> None:
    assert decorator(good) is good
    with pytest.raises(ConfigError, match="the hook sync is no coroutine function: write `async def`"):
        decorator(sync)
