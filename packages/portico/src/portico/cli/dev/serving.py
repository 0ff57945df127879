"""The server of `portico dev`: the API as ever, and everything else for this machine only."""

from portico.cli.dev import control
from portico.cli.dev.setup import Setup
from portico.errors import ApiError, PorticoError
from portico.hosts import asgi
from portico.http import Headers, Request
from portico.responses import refused

WELCOME = """\
Serving {api} for development, on this machine only

  pages    {address}/
  mails    {address}/__mailbox
  clock    {address}/__clock
  plugins  {plugins}

CTRL+C stops it."""


def welcome(setup: Setup, address: str) -> str:
    """Return what to tell who started it."""
    plugins = ", ".join(plugin.id for plugin in setup.auth.api.plugins) or "none"
    return WELCOME.format(api=setup.auth.site.url, address=address, plugins=plugins)


def app(setup: Setup) -> asgi.ASGIApp:
    """Return the Auth of `setup` with its pages and control routes beside it."""
    api = asgi.app(setup.auth)

    async def serve(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            # Tables are made in the loop that serves: a database in memory ends with its connection.
            try:
                await setup.auth.create_schema()
            except PorticoError as error:
                return await send({"type": "lifespan.startup.failed", "message": str(error)})
            return await api(scope, receive, send)
        if kind != "http":
            return await api(scope, receive, send)
        return await _serve(setup, scope, receive, send)

    return _settled(asgi.beside(serve, setup.auth))


def _settled(app: asgi.ASGIApp) -> asgi.ASGIApp:
    """Return `app`, answering when the work after the answer is done: whoever has it finds its mail in the mailbox."""

    async def serve(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        messages: list[asgi.Message] = []

        async def keep(message: asgi.Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        for message in messages:
            await send(message)
        return None

    return serve


async def _serve(setup: Setup, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    headers = Headers.raw(scope["headers"])
    try:
        body = await asgi.read_body(receive, headers, setup.auth)
    except ApiError as refusal:
        return await asgi.send_response(send, refused(refusal))
    if body is None:
        return None
    request = Request(
        method=scope["method"],
        path=asgi.sent_path(scope),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )
    return await asgi.send_response(send, await control.answer(setup, request))
