"""What replies and refusals become."""

import email.utils
from typing import Any

import httpx
import pytest

from client.runtime.acme import CODES, DELETE, ENABLE, READ, SIGN_IN, WRITE, Acme, Face
from client.runtime.scripted import Scripted, reply
from portico_client_runtime import Operation, errors
from requirements import requirement

pytestmark = pytest.mark.anyio

CASES = [
    (400, errors.BadRequest),
    (401, errors.Unauthorized),
    (403, errors.Forbidden),
    (404, errors.NotFound),
    (409, errors.Conflict),
    (418, errors.ApiError),
    (422, errors.UnprocessableEntity),
    (429, errors.RateLimited),
    (500, errors.ServerError),
    (599, errors.ServerError),
]


async def refused(face: Face, answer: httpx.Response) -> Any:
    server = Scripted(answer)
    with pytest.raises(errors.ApiError) as caught:
        await face.do(face.open(transport=server.transport).send, WRITE, body={})
    assert len(server.requests) == 1
    return caught.value


@requirement("S-223")
@pytest.mark.parametrize(("status", "kind"), CASES)
async def test_a_refusal_is_an_error_by_its_status(face: Face, status: int, kind: type[errors.ApiError]) -> None:
    body = {"code": "UNAUTHORIZED", "message": "No"}
    error = await refused(face, reply(body, status))
    assert type(error) is kind
    assert (error.status, error.code, error.raw_code, error.message, str(error)) == (
        status,
        "UNAUTHORIZED",
        "UNAUTHORIZED",
        "No",
        "No",
    )
    assert error.body == body
    assert error.response.status_code == status


@requirement("S-237")
async def test_a_code_that_the_client_does_not_know_is_in_raw_code_only(face: Face) -> None:
    assert "FROM_THE_FUTURE" not in CODES
    error = await refused(face, reply({"code": "FROM_THE_FUTURE", "message": "Hm"}, 403))
    assert (error.code, error.raw_code) == (None, "FROM_THE_FUTURE")


@requirement("S-223")
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"code": 7, "message": null}'])
async def test_a_refusal_without_words_is_told_by_its_status(face: Face, content: bytes) -> None:
    error = await refused(face, httpx.Response(500, content=content))
    assert (type(error), error.code, error.raw_code, error.message) == (errors.ServerError, None, None, "HTTP 500")


@requirement("S-223")
@pytest.mark.parametrize(
    ("operation", "hint"), [(WRITE, ""), (ENABLE, ", and whether the server has the plugin 'two-factor'")]
)
async def test_a_404_without_words_says_what_is_not_there(face: Face, operation: Operation[Any], hint: str) -> None:
    server = Scripted(httpx.Response(404))
    with pytest.raises(errors.NotFound) as caught:
        await face.do(face.open(transport=server.transport).send, operation, body={})
    assert str(caught.value) == f"the server has no POST {operation.path}: check the base URL{hint}"


@requirement("ARCH-client-oauth")
@pytest.mark.parametrize(
    ("status", "kind"), [(400, errors.OAuthError), (401, errors.OAuthError), (429, errors.RateLimited)]
)
async def test_a_refusal_of_oauth_has_its_own_class_unless_it_says_when_to_come_back(
    face: Face, status: int, kind: type[errors.ApiError]
) -> None:
    error = await refused(face, reply({"error": "slow_down", "error_description": "Wait"}, status))
    assert type(error) is kind
    assert (error.code, error.raw_code, error.message) == (None, "slow_down", "Wait")
    if isinstance(error, errors.OAuthError):
        assert (error.error, error.error_description) == ("slow_down", "Wait")


@requirement("S-238")
async def test_a_rate_limit_says_when_to_try_again(face: Face) -> None:
    async def seconds(*fields: tuple[str, str]) -> float | None:
        error = await refused(face, reply({}, 429, *fields))
        wait: float | None = error.retry_after
        return wait

    assert await seconds(("retry-after", "7")) == 7
    assert await seconds(("x-retry-after", "9")) == 9
    assert await seconds(("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")) == 0
    assert await seconds(("retry-after", email.utils.formatdate(4102444800, usegmt=True))) > 10_000  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand]  # a date has been given
    assert await seconds() is None
    assert await seconds(("retry-after", "soon")) is None


@requirement("ARCH-client-replies")
@pytest.mark.parametrize(
    "answer",
    [
        reply({}),
        reply([]),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "https://evil.example"}),
    ],
    ids=["empty object", "array", "page", "nothing", "redirect"],
)
async def test_a_success_that_is_not_what_was_promised_is_an_error(face: Face, answer: httpx.Response) -> None:
    server = Scripted(answer)
    client = face.open(transport=server.transport)
    with pytest.raises(errors.InvalidReply) as caught:
        await face.do(client.send, SIGN_IN, body={})
    assert caught.value.response.status_code == answer.status_code
    assert len(server.requests) == 1
    assert client.store.version("session") == 0


@requirement("ARCH-client-replies")
async def test_an_error_about_a_reply_does_not_repeat_what_is_in_it(face: Face) -> None:
    server = Scripted(reply({"token": "s3cret", "user": {"id": "s3cret"}}))
    with pytest.raises(errors.InvalidReply) as caught:
        await face.do(face.open(transport=server.transport).send, SIGN_IN, body={})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@requirement("ARCH-client-replies")
async def test_null_and_nothing_are_none(face: Face) -> None:
    server = Scripted(httpx.Response(204), reply(None), httpx.Response(200), reply(None))
    client = face.open(transport=server.transport)
    assert await face.do(client.send, DELETE) is None
    assert await face.do(client.send, DELETE) is None
    assert await face.do(client.send, READ, path={"id": "1"}) is None
    assert await face.do(client.get_session) is None


@requirement("ARCH-client-replies")
async def test_a_raw_response_has_the_reply_with_its_status_and_fields(face: Face) -> None:
    server = Scripted(reply(None, 201, ("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")))
    client = face.open(transport=server.transport)
    raw = await face.do(client.with_raw_response(client.get_session))
    assert (raw.value, raw.status, raw.headers["x-one"]) == (None, 201, "1")
    assert raw.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert raw.response.json() is None


@requirement("ARCH-client-replies")
async def test_what_sends_nothing_has_no_raw_response() -> None:
    with Acme("http://localhost:3000", transport=Scripted().transport) as client, pytest.raises(TypeError):
        client.with_raw_response(lambda: 1)()
