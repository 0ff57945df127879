"""One account per address: spellings that somebody could take for another's address or name, at every door."""

from collections.abc import Iterator

import pytest

from app import ORIGIN
from requirements import requirement
from threats.everything import Door, Visitor, everything, set_cookies

pytestmark = [pytest.mark.anyio, requirement("E05")]

SITE = everything()
ADDRESSES, NAMES = {"email", "newEmail"}, {"username"}
DOORS = [door for door in SITE.doors if door.fields & (ADDRESSES | NAMES)]
FOREIGN = {
    # What some folding of letters makes the same: Kelvin, long s, dotless and dotted i, full width, Cyrillic
    "k": "\u212a",
    "s": "\u017f",
    "i": "\u0131",
    "a": "\uff41",
    "e": "\u0435",
    "@": "\uff20",
    ".": "\uff0e",
    "1": "\u00b9",
}


def looks(address: str) -> Iterator[str]:
    """Yield what is no address, and would be this one to who is careless."""
    local, _, domain = address.partition("@")
    for letter, other in FOREIGN.items():
        if letter in address:
            yield address.replace(letter, other, 1)
            yield address.upper().replace(letter.upper(), other.upper(), 1)
    for mark in ("\u0301", "\u200b", "\u00ad", "\u202e", "\ufeff", "\x00", "\t", "\r\n", " ", "\u00a0", "\u3000"):
        yield f"{local}{mark}@{domain}"
        yield f"{mark}{address}"
        yield f"{address}{mark}"
    yield from (
        f"{address}.",
        f"{local}.@{domain}",
        f".{local}@{domain}",
        f'"{local}"@{domain}',
        f'"{local}\\"@evil.test"@{domain}',
        f"{local}@{domain}@evil.test",
        f"{local}(comment)@{domain}",
        f"<{address}>",
        f"Ann <{address}>",
        f"mailto:{address}",
        f"{address},evil@evil.test",
        f"evil@evil.test,{address}",
        f"{address};evil@evil.test",
        f"{address} evil@evil.test",
        f"{address}\r\nbcc: evil@evil.test",
        f"{address}\nevil@evil.test",
        f"{address}%00@evil.test",
        f"{address}?cc=evil@evil.test",
        f"{local}@[127.0.0.1]",
        f"{local}@localhost",
        f"{local}@example..com",
        f"{local}@-example.com",
    )


def tries(door: Door, visitor: Visitor) -> Iterator[dict[str, str]]:
    """Yield fields that name somebody nearly as they are called."""
    for name in sorted(door.fields & ADDRESSES):
        yield from ({name: spelled} for spelled in looks(visitor.email))
    for name in sorted(door.fields & NAMES):
        marks = ("\u0301", "\u200b", "\x00", " ", "\n", ".\u3002", "@", "%00", "'")
        near = {visitor.username.replace(letter, other, 1) for letter, other in FOREIGN.items()}
        yield from ({name: spelled} for spelled in sorted(near - {visitor.username}))
        yield from ({name: f"{visitor.username}{mark}"} for mark in marks)


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_what_only_looks_like_somebody_is_nobody(door: Door) -> None:
    victim = await SITE.first_visitor()
    other = await SITE.visitor()
    before = await SITE.remembered()
    for fields in tries(door, victim):
        body = {**other.body(door), **fields} if door.has_body else {}
        query = {**door.query, **fields} if not door.has_body else door.query
        request = door.request(other.cookie, ("origin", ORIGIN), body=body, query=query)
        response = await SITE.answer(request)
        assert 400 <= response.status < 500, (fields, response)
        assert not any("session_token" in line for line in set_cookies(response)), fields
    assert await SITE.remembered() == before


def cased(text: str) -> list[str]:
    """Return other cases of a text."""
    return [text.upper(), text.title(), text[:1].upper() + text[1:], text.swapcase()]


async def test_every_case_of_an_address_is_the_same_account() -> None:
    victim = await SITE.first_visitor()
    browser = victim.browser
    for email in cased(victim.email):
        taken = await browser.post("/sign-up/email", {"name": "Evil", "email": email, "password": "password456"})
        assert taken.status == 422, email
        assert (await browser.post("/sign-in/email", {"email": email, "password": "password123"})).status == 200, email
        assert (await browser.post("/sign-in/email", {"email": email, "password": "password456"})).status == 401, email
        for path in ("/request-password-reset", "/sign-in/magic-link"):
            await browser.post(path, {"email": email})
            # To the address as it is known, however it was asked for.
            assert SITE.postbox.addresses[-1] == victim.email
    for username in cased(victim.username):
        signed_in = await browser.post("/sign-in/username", {"username": username, "password": "password123"})
        assert signed_in.status == 200, username
    assert await SITE.auth.store.count(SITE.auth.tables["user"]) == 1
