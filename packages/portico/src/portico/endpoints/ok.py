"""Whether the service answers."""

from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.models import SessionT, UserT
from portico.wire import Wire


class Ok(Wire):
    ok: bool


class OkEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint("GET", "/ok", idempotent=True, client=False)
    async def ok(self, ctx: Context) -> Ok:
        """Tell that the service answers."""
        return Ok(ok=True)
