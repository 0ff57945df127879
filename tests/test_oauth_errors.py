from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app import ORIGIN, content, plain
from portico import ApiError, Context, OAuthErrorCode, Plugin, endpoint
from portico.messages import Status
from portico.openapi import document
from portico.testing import Browser
from portico.wire import Wire
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("P09", "ARCH-openapi")]

SLOW_DOWN = OAuthErrorCode(400, "slow_down", "Polling too frequently")
SAID = {"error": "slow_down", "error_description": "Polling too frequently"}


class Poll(Wire):
    device_code: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Polled(Plugin[Any, Any]):
    id: ClassVar[str] = "polled"

    @endpoint("POST", "/poll", errors=(SLOW_DOWN,))
    async def poll(self, ctx: Context, body: Poll) -> Status:
        """Refuse whoever polls."""
        raise ApiError(SLOW_DOWN)


async def test_a_refusal_of_oauth_has_error_and_error_description() -> None:
    refused = await Browser(plain(Polled()), ORIGIN).post("/poll", {"deviceCode": "x"})
    assert (refused.status, content(refused)) == (400, SAID)


async def test_the_document_names_the_refusals_of_oauth_beside_those_of_the_pipeline() -> None:
    described = document(plain(Polled()))
    (response,) = (
        each for each in described["components"]["responses"].values() if "Polling too" in each["description"]
    )
    ours, of_oauth = response["content"]["application/json"]["schema"]["anyOf"]
    assert of_oauth["properties"]["error"] == {"type": "string", "enum": ["slow_down"]}
    assert of_oauth["required"] == ["error_description", "error"]
    assert ours["properties"]["code"]["enum"] == ["BAD_REQUEST", "VALIDATION_ERROR"]
