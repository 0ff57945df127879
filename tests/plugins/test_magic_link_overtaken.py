"""What a link is answered with when something else happens at this very moment."""

from typing import Any

import anyio
import pytest

from app import ORIGIN, content, signed_up
from meanwhile import Meanwhile
from plugins.test_magic_link import place
from portico import Context, HookContext, Response, before_create
from portico.plugins.magic_link import MagicLinkMail
from postbox import follow, location
from requirements import requirement

pytestmark = pytest.mark.anyio


@requirement("E06", "S-106")
async def test_of_two_links_at_once_to_one_new_mailbox_both_sign_in() -> None:
    waiting, replies = list[MagicLinkMail](), list[Response]()

    @before_create("user")
    async def follow_another(ctx: Context, values: dict[str, Any]) -> None:
        if waiting:
            replies.append(await here.verify(here.browser, waiting.pop().token))

    here = place(options={"database_hooks": [follow_another]})
    first, second = await here.ask(name="First"), await here.ask(name="Second")
    waiting.append(second)
    with anyio.fail_after(5):
        replies.append(await here.verify(here.browser, first.token))
    assert [content(reply)["user"]["name"] for reply in replies] == ["Second", "Second"]
    assert await here.counts() == [1, 0, 2, 0]


@requirement("S-106")
async def test_a_user_who_is_deleted_at_this_moment_is_not_signed_in() -> None:
    meanwhile = Meanwhile()
    here = place(options={"database_hooks": meanwhile.hooks})
    await signed_up(here.auth)
    mail, browser = await here.ask(callbackURL="/home"), here.browser

    async def delete(ctx: HookContext) -> None:
        await here.auth.store.delete_many(here.auth.tables["user"], [])

    meanwhile.do = delete
    assert location(await follow(browser, mail)) == f"{ORIGIN}/home?error=user_not_found"
    assert (browser.cookies, await here.counts("user", "session")) == ({}, [0, 0])
