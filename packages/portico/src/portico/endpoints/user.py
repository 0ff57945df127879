"""The caller's own user."""

from dataclasses import replace
from typing import Any, ClassVar

from pydantic.json_schema import SkipJsonSchema

from portico import admission
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint, update_routes
from portico.errors import EMAIL_CAN_NOT_BE_UPDATED, FIELD_NOT_ALLOWED, NO_FIELDS_TO_UPDATE, ApiError
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
        errors=(EMAIL_CAN_NOT_BE_UPDATED, FIELD_NOT_ALLOWED, NO_FIELDS_TO_UPDATE),
        signals=("session",),
    )
    async def update_user(self, ctx: Context, body: UpdateUser) -> Status:
        """Change the caller's name, image and further fields; what is not sent stays as it is."""
        if body.email:
            raise ApiError(EMAIL_CAN_NOT_BE_UPDATED)
        self._refuse_closed_fields(ctx)
        changes = {name: value for name, value in self.users.table.given(body).items() if name != "email"}
        if not changes:
            raise ApiError(NO_FIELDS_TO_UPDATE)
        current = self.signed_in(ctx)
        user = await self.users.update(ctx, {"id": current.user.id}, **changes)
        admission.send(ctx, current.session, user or current.user)
        return Status(status=True)

    def _refuse_closed_fields(self, ctx: Context) -> None:
        """Refuse columns that are not for clients to set; unknown names, and the core's own, are ignored instead."""
        for field in self.users.table.fields.values():
            if field.wire in ctx.fields and not field.column.input and field.name not in User.model_fields:
                raise ApiError(replace(FIELD_NOT_ALLOWED, message=f"{field.wire} is not allowed to be set"))
