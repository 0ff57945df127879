"""What somebody writes who has installed `portico-client-runtime`; checked against the wheel, never run."""

from typing import Any, ClassVar, assert_type

from portico_client_runtime import BaseClient, Operation, RawResponse, RequestOptions, Resource

COUNT: Operation[int] = Operation("GET", "/invitations/count", int)


class Invitations(Resource):
    def count(self, *, options: RequestOptions | None = None) -> int:
        return self._client.send(COUNT, options=options)


class Client(BaseClient[dict[str, Any]]):
    _session_reply: ClassVar[Operation[Any]] = Operation("GET", "/get-session", dict[str, Any] | None)


client = Client("https://example.com")
assert_type(client.send(COUNT), int)
assert_type(client.plugin(Invitations), Invitations)
assert_type(client.with_raw_response(client.plugin(Invitations).count)(), RawResponse[int])
assert_type(client.session.get(), dict[str, Any] | None)
