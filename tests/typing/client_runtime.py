"""Never run. Checked by mypy and basedpyright: the types a user of a generated client sees."""

from functools import partial
from typing import Any, assert_type

import httpx
import typer
from pydantic import BaseModel

from portico_client_runtime import (
    AsyncBaseClient,
    AsyncResource,
    BaseClient,
    ClientPlugin,
    Operation,
    RawResponse,
    RequestOptions,
    Resource,
    SessionState,
)
from portico_client_runtime.cli import CommandLineLogin, Loopback, Machine
from portico_client_runtime.errors import ApiError, OAuthError, RateLimited


class SessionData(BaseModel):
    user: str


GET_SESSION: Operation[SessionData | None] = Operation("GET", "/get-session", SessionData | None)


class AsyncClient(AsyncBaseClient[SessionData]):
    _session_reply = GET_SESSION

    async def get_session(self, *, fresh: bool = False, options: RequestOptions | None = None) -> SessionData | None:
        return await self.send(GET_SESSION, query={"fresh": fresh}, options=options)


class Client(BaseClient[SessionData]):
    _session_reply = GET_SESSION

    def get_session(self, *, fresh: bool = False, options: RequestOptions | None = None) -> SessionData | None:
        return self.send(GET_SESSION, query={"fresh": fresh}, options=options)


class AsyncOwn(AsyncResource):
    async def ping(self) -> int:
        return 1


class Own(Resource):
    def ping(self) -> int:
        return 1


async def awaited(client: AsyncClient) -> None:
    assert_type(await client.send(GET_SESSION), SessionData | None)
    assert_type(await client.with_raw_response(client.get_session)(fresh=True), RawResponse[SessionData | None])
    await client.with_raw_response(client.get_session)(frsh=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # misspelt
    assert_type(await client.plugin(AsyncOwn).ping(), int)
    assert_type(client.with_options(timeout=1), AsyncClient)
    assert_type(await client.session.get(), SessionData | None)
    assert_type(await client.session.refetch(), SessionState[SessionData])
    assert_type(await client.call("/a"), Any)
    assert_type(await client.fetch("POST", "https://example.com/token", form={"a": "b"}), httpx.Response)
    async with client as entered, entered.session.watch(poll_interval=1) as states:
        assert_type(entered, AsyncClient)
        async for state in states:
            assert_type(state, SessionState[SessionData])
            assert_type(state.data, SessionData | None)


def called(client: Client) -> None:
    assert_type(client.send(GET_SESSION), SessionData | None)
    assert_type(client.with_raw_response(client.get_session)(fresh=True), RawResponse[SessionData | None])
    assert_type(client.plugin(Own).ping(), int)
    assert_type(client.with_options(timeout=1), Client)
    assert_type(client.session.get(), SessionData | None)
    assert_type(client.fetch("GET", "https://example.com/x"), httpx.Response)
    with client as entered, entered.session.watch() as states:
        assert_type(entered, Client)
        for state in states:
            assert_type(state, SessionState[SessionData])


def refused(error: ApiError) -> None:
    assert_type(error.code, str | None)
    match error:
        case RateLimited():
            assert_type(error.retry_after, float | None)
        case OAuthError():
            assert_type(error.error, str)
            assert_type(error.error_description, str | None)
        case _:
            assert_type(error.status, int)


async def told(methods: object) -> None:
    """Async callbacks fit, too."""


ClientPlugin(id="two-factor", on_two_factor_redirect=told)


# Command-line login

login = CommandLineLogin(Client, app="acme", client_id="acme-cli", base_url="https://example.com")
assert_type(login, CommandLineLogin[Client])
assert_type(login.commands(), typer.Typer)
assert_type(login.token(profile="work"), str)
with login.signed_in(url="https://example.com") as whoever:
    assert_type(whoever, Client)
    assert_type(whoever.session.get(), SessionData | None)
assert_type(CommandLineLogin(partial(Client, timeout=5), app="acme", client_id="acme-cli"), CommandLineLogin[Client])
CommandLineLogin(AsyncClient, app="acme", client_id="acme-cli")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]  # commands do not wait
CommandLineLogin(Client, app="acme", cliend_id="acme-cli")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # misspelt


# At a server that is an OAuth provider

native = Loopback(client_id="acme-native", scopes=("openid", "email"), resource="https://api.example.com")
assert_type(native.resource, str | None)
CommandLineLogin(Client, app="acme", client_id="acme-cli", loopback=native, machine=Machine(open_browser=bool))
