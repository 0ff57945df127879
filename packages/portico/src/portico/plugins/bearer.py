"""The session token in an Authorization header, for clients without cookies. See RFC 6750."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import unquote

from portico.context import Context
from portico.cookies import SESSION_TOKEN
from portico.endpoint import Plugin
from portico.hooks import after, before
from portico.models import SessionT, UserT

SCHEME = "bearer"


@dataclass(frozen=True, kw_only=True, eq=False)
class Bearer(Plugin[UserT, SessionT]):
    """`Authorization: Bearer <token>` in place of the session cookie; `set-auth-token` tells the token of a session."""

    id: ClassVar[str] = "bearer"

    require_signature: bool = False
    """Refuse the bare token that replies contain; only what `set-auth-token` said is accepted."""

    @before("*", header="authorization", first=True)
    async def read_token(self, ctx: Context) -> Context | None:
        """Put the token where the session is read from, ahead of a cookie that the request has as well."""
        scheme, _, credentials = (ctx.headers.get("authorization") or "").partition(" ")
        token = credentials.strip()
        if scheme.lower() != SCHEME or not token:
            return None
        signed = self._signed(token)
        if signed is None:
            return None
        return replace(ctx, headers=ctx.cookies.with_signed(ctx.headers, SESSION_TOKEN, signed))

    @after("*", cookie=SESSION_TOKEN)
    async def tell_token(self, ctx: Context, outcome: Any) -> Any:
        """Say the signed token whenever a session cookie is set."""
        signed = self.auth.signer.sign(ctx.reply.cookies[SESSION_TOKEN])
        ctx.reply.expose("set-auth-token", signed)
        return outcome

    def _signed(self, token: str) -> str | None:
        if "." not in token:
            is_token = token.isascii() and token.isprintable() and not self.require_signature
            return self.auth.signer.sign(token) if is_token else None
        signed = unquote(token)
        return signed if self.auth.signer.verify(signed) is not None else None
