"""Several users in one browser: each session has a cookie of its own, and one of them is active."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from portico import admission
from portico.context import Context, session_data
from portico.cookies import DONT_REMEMBER, SESSION_DATA, SESSION_TOKEN
from portico.endpoint import Plugin, endpoint
from portico.errors import ApiError, ConfigError, ErrorCode
from portico.hooks import after
from portico.messages import SessionData, Status
from portico.models import Session, SessionT, UserT
from portico.wire import Wire

JOINT = "_multi-"
"""Stands between the name of the session cookie and the token in lower case."""

# Errors

INVALID_SESSION_TOKEN = ErrorCode(401, "INVALID_SESSION_TOKEN", "Invalid session token")

# Messages


class SetActive(Wire):
    session_token: str


class RevokeDeviceSession(Wire):
    session_token: str


# Plugin


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiSession(Plugin[UserT, SessionT]):
    """Sessions of several users side by side in one browser, to switch between."""

    id: ClassVar[str] = "multi-session"

    maximum_sessions: int = 5
    """Sessions with a cookie of their own; who signs in beyond that is signed in, but cannot be switched back to."""

    def setup(self, auth: Any) -> None:
        """Check the option."""
        if self.maximum_sessions < 1:
            raise ConfigError(
                f"MultiSession(maximum_sessions={self.maximum_sessions!r}): there is one session at least"
            )

    @endpoint("GET", "/multi-session/list-device-sessions", session="own", idempotent=True)
    async def list_device_sessions(self, ctx: Context) -> Sequence[SessionData[UserT, SessionT]]:
        """List the live sessions of this browser, one for each user."""
        by_user: dict[str, SessionData[UserT, SessionT]] = {}
        for token in self._held(ctx).values():
            found = await self._live(ctx, token)
            if found is not None:
                by_user.setdefault(found.user.id, found)
        return list(by_user.values())

    @endpoint(
        "POST",
        "/multi-session/set-active",
        session="own",
        errors=(INVALID_SESSION_TOKEN,),
        signals=("session",),
    )
    async def set_active(self, ctx: Context, body: SetActive) -> SessionData[UserT, SessionT]:
        """Go on with another session of this browser."""
        tail = body.session_token.lower()
        token = self._held(ctx).get(tail)
        if token is None:
            raise ApiError(INVALID_SESSION_TOKEN)
        found = await self._live(ctx, token)
        if found is None:
            self._expire(ctx, tail)
            raise ApiError(INVALID_SESSION_TOKEN)
        admission.send(ctx, found.session, found.user)
        return found

    @endpoint(
        "POST",
        "/multi-session/revoke",
        session="authoritative",
        errors=(INVALID_SESSION_TOKEN,),
        signals=("session",),
    )
    async def revoke(self, ctx: Context, body: RevokeDeviceSession) -> Status:
        """End a session of this browser; after the active one, another one goes on."""
        held, tail = self._held(ctx), body.session_token.lower()
        token = held.pop(tail, None)
        if token is None:
            raise ApiError(INVALID_SESSION_TOKEN)
        await self.sessions.delete(ctx, token=token)
        self._expire(ctx, tail)
        if token == self.signed_in(ctx).session.token:
            await self._go_on(ctx, held.values())
        return Status(status=True)

    @after("*", cookie=SESSION_TOKEN)
    async def keep(self, ctx: Context, outcome: Any) -> Any:
        """Give a session that starts a cookie of its own, in place of the one that its user had in this browser."""
        if ctx.new_session is None or isinstance(outcome, ApiError):
            return outcome
        session, held = ctx.new_session.session, self._held(ctx)
        if session.token.lower() in held:
            return outcome
        room = self.maximum_sessions - len(held)
        for tail in await self._outdated(ctx, held, session):
            self._expire(ctx, tail)
            await self.sessions.delete(ctx, token=held[tail])
            room += 1
        if room > 0:
            # What is not to be remembered must not come back from a list when the window was closed.
            max_age = None if DONT_REMEMBER in ctx.reply.cookies else self.auth.session_options.expires_in
            tail = f"{JOINT}{session.token.lower()}"
            ctx.reply.headers.append(ctx.cookies.write(SESSION_TOKEN, session.token, max_age, tail=tail))
        return outcome

    @after("/sign-out")
    async def leave(self, ctx: Context, outcome: Any) -> Any:
        """End every session of this browser; a cookie that we did not sign ends none."""
        if isinstance(outcome, ApiError):
            return outcome
        for tail, token in self._held(ctx).items():
            self._expire(ctx, tail)
            await self.sessions.delete(ctx, token=token)
        return outcome

    def _held(self, ctx: Context) -> dict[str, str]:
        """Return the tokens for which this browser has cookies, by their form in lower case."""
        named = ctx.cookies.read_tails(ctx.headers, SESSION_TOKEN, JOINT)
        # Other cookies hold other values under the same signature.
        return {tail: token for tail, token in named.items() if token.lower() == tail}

    def _expire(self, ctx: Context, tail: str) -> None:
        ctx.reply.headers.append(ctx.cookies.expire(SESSION_TOKEN, tail=f"{JOINT}{tail}"))

    async def _outdated(self, ctx: Context, held: Mapping[str, str], session: Session) -> Sequence[str]:
        """Return what a new session takes the place of: another one of its user, and without room what has ended."""
        found = {tail: await self.sessions.find(ctx, token=token) for tail, token in held.items()}
        same = [tail for tail, other in found.items() if other is not None and other.user_id == session.user_id]
        if len(held) - len(same) < self.maximum_sessions:
            return same
        # Upstream counts these, of which a user leaves one behind with each change of password or second factor.
        ended = [tail for tail, other in found.items() if other is None or other.expires_at <= ctx.now()]
        return list(dict.fromkeys([*same, *ended]))

    async def _live(self, ctx: Context, token: str) -> SessionData[UserT, SessionT] | None:
        """Return a session that has not ended, and its user."""
        session, user = await self.sessions.find_with(ctx, self.users, "user_id", token=token)
        if session is None or user is None or session.expires_at <= ctx.now():
            return None
        return session_data(session, user)

    async def _go_on(self, ctx: Context, tokens: Iterable[str]) -> None:
        """Make the first live session the active one; without one, nobody is signed in."""
        for token in tokens:
            found = await self._live(ctx, token)
            if found is not None:
                # What reading the ended session had to say about it.
                ctx.drop_cookie(SESSION_TOKEN)
                ctx.drop_cookie(SESSION_DATA)
                admission.send(ctx, found.session, found.user)
                return
        admission.forget(ctx)
