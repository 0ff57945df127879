"""The caller's own user."""

from typing import Any, ClassVar

from pydantic.json_schema import SkipJsonSchema

from portico import admission
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint, update_routes
from portico.endpoints.changes import changes_in
from portico.errors import (
    EMAIL_CAN_NOT_BE_UPDATED,
    FAILED_TO_UPDATE_USER,
    FIELD_NOT_ALLOWED,
    NO_FIELDS_TO_UPDATE,
    ApiError,
)
from portico.messages import Status
from portico.models import SessionT, User, UserT
from portico.wire import Omittable, Wire


class UpdateUser(Wire):
    json_kinds: ClassVar[tuple[str, ...]] = ("record",)

    name: Omittable[str] = None
    image: str | None = None
    email: SkipJsonSchema[Any] = None
    """Refused: an address is changed by proving that it is the user's."""


class UserEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        *update_routes("/update-user"),
        session="authoritative",
        updates="user",
        errors=(EMAIL_CAN_NOT_BE_UPDATED, FIELD_NOT_ALLOWED, NO_FIELDS_TO_UPDATE, FAILED_TO_UPDATE_USER),
        signals=("session",),
    )
    async def update_user(self, ctx: Context, body: UpdateUser) -> Status:
        """Change the caller's name, image and further fields; what is not sent stays as it is."""
        if body.email:
            raise ApiError(EMAIL_CAN_NOT_BE_UPDATED)
        given = changes_in(ctx, self.users.table, User, body)
        changes = {name: value for name, value in given.items() if name != "email"}
        if not changes:
            raise ApiError(NO_FIELDS_TO_UPDATE)
        current = self.signed_in(ctx)
        user = await self.users.update(ctx, {"id": current.user.id}, **changes)
        # Where sessions are stateless, the user may be known to another process only.
        admission.send(ctx, current.session, user or current.user.model_copy(update=changes))
        return Status(status=True)
