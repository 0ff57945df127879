"""What a password may be: nothing of it is lost, and too much of it is never hashed."""

from collections.abc import Awaitable, Callable

import pytest

from app import ORIGIN
from portico import Response
from requirements import requirement
from threats.everything import PASSWORD, Door, Site, Visitor, code_of, everything
from watched import Hasher

pytestmark = pytest.mark.anyio

SPELLED = {"password", "newPassword", "currentPassword"}
LONGEST = 128
HASHER = Hasher([])
COUNTED = everything(hasher=HASHER)
DOORS = [door for door in COUNTED.doors if door.has_body and door.fields & SPELLED]


@requirement("E03", "E04")
@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_a_password_that_is_too_long_is_refused_before_it_is_hashed(door: Door) -> None:
    visitor = await COUNTED.first_visitor()
    before = await COUNTED.remembered()
    for name in sorted(door.fields & SPELLED):
        for giant in ("x" * (LONGEST + 1), "x" * 1_000_000, "\U0001f510" * (LONGEST // 2 + 1), "\x00" * 100_000):
            body = {**visitor.body(door), name: giant}
            response = await COUNTED.answer(door.request(visitor.cookie, ("origin", ORIGIN), body=body))
            assert 400 <= response.status < 500, (name, len(giant))
    assert HASHER.longest <= LONGEST
    assert await COUNTED.remembered() == before


SITE = everything()
LONG = "a" * 71
KEPT = {
    " spaces at both ends ": ["spaces at both ends", " spaces at both ends", "spaces at both ends "],
    "tab\tand\nline\r\nends": ["tab and line ends", "tab\tand\nline\nends", "tab\tand"],
    "MiXeD cAsE": ["mixed case", "MIXED CASE"],
    "nul\x00and what follows": ["nul", "nul\x00", "nul\x00and what follow", "nuland what follows"],
    "\x00\x00\x00\x00\x00\x00\x00\x00": ["\x00" * 9, "\x00" * 7 + "x", "        "],
    "пароль 密码 \U0001f510": ["пароль 密码 \U0001f511", "пароль 密码 ", "????? ?? ?"],
    f"{LONG}bc": [f"{LONG}b", f"{LONG}bd", f"{LONG}", f"{LONG}b\x00"],
    "é" * 40: ["é" * 36, "é" * 39, "e" * 40],
    "p" * 63 + "q": ["p" * 63, "p" * 64],
    "p" * 127 + "q": ["p" * 127, "p" * 128, "p" * 72],
    '"; DROP TABLE user; --': ['"; DROP TABLE user;', "; DROP TABLE user; --"],
    "&lt;<b>%20%00+": ["<<b>%20%00+", "&lt;<b> %00+", "&lt;<b>%20%00 "],
    "12345678": ["1234567", "12345678.0", "012345678"],
}
"""Passwords, each with others that it must not be taken for."""


Chosen = tuple[Response, str]
"""The answer, and whose password it is."""


async def sign_up(site: Site, visitor: Visitor, password: str) -> Chosen:
    email = f"new-{visitor.email}"
    body = {"name": "New", "email": email, "password": password}
    return await visitor.browser.post("/sign-up/email", body), email


async def change(site: Site, visitor: Visitor, password: str) -> Chosen:
    body = {"currentPassword": PASSWORD, "newPassword": password}
    return await visitor.browser.post("/change-password", body), visitor.email


async def reset(site: Site, visitor: Visitor, password: str) -> Chosen:
    await visitor.browser.post("/request-password-reset", {"email": visitor.email})
    body = {"newPassword": password, "token": site.postbox.last.token}
    return await visitor.browser.post("/reset-password", body), visitor.email


async def set_first(site: Site, visitor: Visitor, password: str) -> Chosen:
    await site.auth.store.delete_many(site.auth.tables["account"], [])
    return await visitor.browser.post("/set-password", {"newPassword": password}), visitor.email


@requirement("E03")
@pytest.mark.parametrize("choose", [sign_up, change, reset, set_first])
@pytest.mark.parametrize("password", KEPT, ids=ascii)
async def test_a_password_is_kept_as_it_was_typed(
    password: str, choose: Callable[[Site, Visitor, str], Awaitable[Chosen]]
) -> None:
    visitor = await SITE.first_visitor()
    answer, email = await choose(SITE, visitor, password)
    assert answer.status == 200
    for other in KEPT[password]:
        body = {"email": email, "password": other}
        assert (await visitor.browser.post("/sign-in/email", body)).status == 401, other
    assert (await visitor.browser.post("/sign-in/email", {"email": email, "password": password})).status == 200


@requirement("E03", "B-18")
@pytest.mark.parametrize("choose", [sign_up, change, reset, set_first])
@pytest.mark.parametrize("password", ["x" * 7, "\U0001f510" * 3, " ", "x" * 129, "\U0001f510" * 65], ids=ascii)
async def test_a_password_of_the_wrong_length_is_chosen_nowhere(
    password: str, choose: Callable[[Site, Visitor, str], Awaitable[Chosen]]
) -> None:
    visitor = await SITE.first_visitor()
    answer, _ = await choose(SITE, visitor, password)
    assert (answer.status, code_of(answer)) == (400, "PASSWORD_TOO_LONG" if len(password) > 8 else "PASSWORD_TOO_SHORT")
    assert await SITE.auth.store.count(SITE.auth.tables["user"]) == 1
    if choose is not set_first:
        body = {"email": visitor.email, "password": PASSWORD}
        assert (await visitor.browser.post("/sign-in/email", body)).status == 200
