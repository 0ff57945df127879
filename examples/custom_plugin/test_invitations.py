"""The plugin's own tests: an Auth in memory, and a browser without a window for each person. Run `pytest`."""

import json
from typing import Any

import portico
import pytest
from portico import Auth, EmailAndPassword, MemoryStore, Response
from portico.testing import Browser
from portico_invitations import InvitationOnly

ORIGIN = "http://localhost:3000"


class Api(portico.Api):
    invitations = InvitationOnly(founders=("ann@example.com",))


def person(name: str) -> dict[str, str]:
    """Return what somebody signs up with."""
    return {"name": name, "email": f"{name.lower()}@example.com", "password": "correct horse"}


def content(response: Response) -> Any:
    """Return the JSON of an answer."""
    return json.loads(response.body)


@pytest.fixture
def auth() -> Auth[Api]:
    """Return an Auth without people; what it is asked and answers is as over HTTP."""
    return Auth(
        secret="a secret for tests, never used elsewhere",
        base_url=ORIGIN,
        database=MemoryStore(),
        email_and_password=EmailAndPassword(enabled=True),
        api=Api,
    )


@pytest.mark.anyio
async def test_only_who_was_invited_may_sign_up(auth: Auth[Api]) -> None:
    ann, bob = Browser(auth, ORIGIN), Browser(auth, ORIGIN)
    await ann.post("/sign-up/email", person("Ann"))
    refused = await bob.post("/sign-up/email", person("Bob"))
    assert (refused.status, content(refused)["code"]) == (403, "NOT_INVITED")
    await ann.post("/invitations/create", {"email": "Bob@example.com"})
    assert (await bob.post("/sign-up/email", person("Bob"))).status == 200


@pytest.mark.anyio
async def test_who_is_not_signed_in_invites_nobody(auth: Auth[Api]) -> None:
    stranger, ann = Browser(auth, ORIGIN), Browser(auth, ORIGIN)
    refused = await stranger.post("/invitations/create", {"email": "stranger@example.com"})
    assert (refused.status, content(refused)["code"]) == (401, "UNAUTHORIZED")
    await ann.post("/sign-up/email", person("Ann"))
    assert (await auth.api.invitations.list_own(ann.headers)).invitations == []
