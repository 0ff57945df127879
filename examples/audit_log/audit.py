"""An audit log: who did what, and when, in a table of its own."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from portico import (
    Account,
    Column,
    Context,
    HookContext,
    Plugin,
    Row,
    Session,
    User,
    Wire,
    after_create,
    after_delete,
    after_update,
    endpoint,
)
from portico.store.adapter import Sort
from portico.wire import Timestamp


class AuditEntry(Row):
    # No reference to the user: an entry outlives whom it tells of.
    user_id: Annotated[str, Column(index=True)]
    action: str
    created_at: Timestamp


class AuditEntries(Wire):
    entries: list[AuditEntry]


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditLog(Plugin):
    """Writes an entry when a change is committed, and none for what was refused or taken back."""

    id: ClassVar[str] = "audit-log"
    tables = MappingProxyType({"auditEntry": AuditEntry})

    @endpoint("GET", "/audit-log/list", session="authoritative", idempotent=True)
    async def list_entries(self, ctx: Context) -> AuditEntries:
        """Return what was done to the account of the caller, the latest first."""
        entries = self.auth.rows(AuditEntry)
        own = await entries.find_many(ctx, user_id=self.signed_in(ctx).user.id, sort=Sort("created_at", "desc"))
        return AuditEntries(entries=own)

    @after_create("user")
    async def user_created(self, ctx: HookContext, row: User) -> None:
        await self._write(ctx, row.id, "signed up")

    @after_update("user")
    async def user_updated(self, ctx: HookContext, row: User) -> None:
        await self._write(ctx, row.id, "changed the profile")

    @after_delete("user")
    async def user_deleted(self, ctx: HookContext, row: User) -> None:
        await self._write(ctx, row.id, "deleted the account")

    @after_create("session")
    async def session_created(self, ctx: HookContext, row: Session) -> None:
        await self._write(ctx, row.user_id, "signed in")

    @after_delete("session")
    async def session_deleted(self, ctx: HookContext, row: Session) -> None:
        await self._write(ctx, row.user_id, "ended a session")

    @after_update("account")
    async def account_updated(self, ctx: HookContext, row: Account) -> None:
        await self._write(ctx, row.user_id, "changed the password")

    async def _write(self, ctx: HookContext, user_id: str, action: str) -> None:
        # Names and ids only: a row of a session or an account holds secrets.
        await self.auth.rows(AuditEntry).create(ctx, user_id=user_id, action=action)
