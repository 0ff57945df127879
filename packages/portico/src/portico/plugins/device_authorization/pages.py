"""The pages on which a user enters the code of a device, sees who asks, and decides. See RFC 8628 §3.3 and §5.4."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urljoin

from portico.context import Context
from portico.endpoint import Plugin, Route, endpoint
from portico.errors import (
    INVALID_ORIGIN,
    MISSING_OR_NULL_ORIGIN,
    STORE_BUSY,
    TOO_MANY_REQUESTS,
    ApiError,
    ConfigError,
    ErrorCode,
)
from portico.http import Html, Redirect
from portico.models import SessionT, User, UserT
from portico.origin import SAFE_PATH, origin_of
from portico.pages import form_headers, sign_in_url
from portico.plugins.device_authorization import user_codes
from portico.plugins.device_authorization.declarations import (
    ALREADY_PROCESSED,
    AUTHENTICATION_REQUIRED,
    EXPIRED_USER_CODE,
    FORM,
    INVALID_USER_CODE,
    LONGEST,
    NOT_CLAIMED,
    NOT_YOURS_TO_APPROVE,
    NOT_YOURS_TO_DENY,
    UNDECIDED,
    DeviceCodeRow,
    OfferedCode,
    TypedDecision,
    UserCode,
)

ENTER, LOOK, DECIDE = "/device/enter", "/device/look", "/device/decide"

HEADING = "Connect a device"
ENTRY = """<h1>{heading}</h1>
<p id="hint">Enter the code that your device shows.</p>
<form method="post" action="{action}">
<label for="user_code">Code</label>
{problem}<input id="user_code" name="user_code" value="{typed}" required maxlength="{longest}" {state} \
autocomplete="off" autocapitalize="characters" spellcheck="false">
<button type="submit">Continue</button>
</form>"""
PROBLEM = '<p id="problem" role="alert">{text}</p>\n'
SIGN_IN_FIRST = """<h1>Sign in first</h1>
<p role="alert">You are not signed in. Sign in, then open this page again.</p>"""
QUESTION = """<h1>Let this device in?</h1>
<p>If you approve, it is signed in as you. Deny it if you did not start this yourself, or if your device shows another \
code.</p>
<dl>
{facts}
</dl>
<form method="post" action="{action}">
<input type="hidden" name="user_code" value="{user_code}">
<button type="submit" name="decision" value="approve">Approve</button>
<button type="submit" name="decision" value="deny" class="second">Deny</button>
</form>"""
RESULTS = {
    "approve": ("Device approved", "Go back to your device: it is signed in in a moment. You can close this page."),
    "deny": ("Device denied", "It was not let in. You can close this page."),
}

OF_ANOTHER = "Somebody else has this code. Ask the device for a new one."
PROBLEMS: Mapping[ErrorCode, str] = MappingProxyType(
    {
        INVALID_USER_CODE: "No device shows this code. Check it and try again.",
        EXPIRED_USER_CODE: "This code is too old. Ask the device for a new one.",
        ALREADY_PROCESSED: "This code was used. Ask the device for a new one.",
        NOT_CLAIMED: "Look at who asks before you decide.",
        NOT_YOURS_TO_APPROVE: OF_ANOTHER,
        NOT_YOURS_TO_DENY: OF_ANOTHER,
        INVALID_ORIGIN: "Another site has sent this. Enter the code here.",
        MISSING_OR_NULL_ORIGIN: "Your browser does not say from where it sends this. Enter the code here.",
        TOO_MANY_REQUESTS: "These were too many attempts. Wait a while and try again.",
        STORE_BUSY: "The service is busy. Try again in a moment.",
    }
)
UNREADABLE = "Enter the code that your device shows."
"""Said of what no page of ours sends."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DevicePages(Plugin[UserT, SessionT]):
    """Pages for who has a code: the options, and what they serve."""

    page: bool = False
    """Serve a page where users enter codes and decide, at `/device/enter` below the base path."""

    sign_in_page: str | None = None
    """Where you let users sign in, a path or a URL: who has not is sent there, and `next` in its query leads back.
    None: the page tells them to sign in first."""

    def setup(self, auth: Any) -> None:
        """Check the options."""
        target = self.sign_in_page
        if target is None:
            return
        if not self.page:
            raise ConfigError("DeviceAuthorization(sign_in_page=...) is for its own page: say page=True, too")
        if not (SAFE_PATH.fullmatch(target) or origin_of(target)):
            raise ConfigError(f"DeviceAuthorization(sign_in_page=...) is a path or a URL, not {target!r}")

    def refusal_page(self, ctx: Context, error: ErrorCode) -> Html:
        """Return the page to enter a code, which says what was wrong with the one that was entered."""
        if error.status == AUTHENTICATION_REQUIRED.status:
            return self._page(ctx, "Sign in first", SIGN_IN_FIRST)
        return self._entry(ctx, ctx.fields.get("user_code"), PROBLEMS.get(error, UNREADABLE))

    # A browser that is told to open the address of an answer again asks for it by GET.
    @endpoint(
        Route("GET", ENTER),
        Route("GET", LOOK),
        Route("GET", DECIDE),
        session="own",
        errors=(AUTHENTICATION_REQUIRED,),
        refusal_page=refusal_page,
        client=False,
    )
    async def enter(self, ctx: Context, query: OfferedCode | None = None) -> Html | Redirect:
        """Show the page to enter a code on, with the one of the query; nothing happens to it yet."""
        offered = None if query is None else query.user_code
        if await user_codes.caller(ctx) is None:
            return self._to_sign_in(ctx, offered)
        return self._entry(ctx, offered)

    @endpoint(
        "POST",
        LOOK,
        media=(FORM,),
        session="own",
        errors=(*UNDECIDED, NOT_YOURS_TO_APPROVE),
        refusal_page=refusal_page,
        client=False,
    )
    async def look(self, ctx: Context, body: UserCode) -> Html | Redirect:
        """Show who asks and what for, and ask for a decision; the first who looks may decide."""
        user = await user_codes.caller(ctx)
        if user is None:
            return self._to_sign_in(ctx, body.user_code)
        row = await user_codes.claimed(ctx, await user_codes.live(ctx, body.user_code), user)
        user_codes.check_undecided(row, user, NOT_YOURS_TO_APPROVE)
        content = QUESTION.format(
            facts="\n".join(_facts(row, user)),
            action=escape(ctx.site.path + DECIDE),
            user_code=escape(row.user_code),
        )
        return self._page(ctx, "Let this device in?", content)

    @endpoint(
        "POST",
        DECIDE,
        media=(FORM,),
        session="own",
        errors=(*UNDECIDED, NOT_YOURS_TO_APPROVE, NOT_YOURS_TO_DENY),
        refusal_page=refusal_page,
        client=False,
    )
    async def decide(self, ctx: Context, body: TypedDecision) -> Html | Redirect:
        """Let the device in as the signed-in user, or turn it away, and say so."""
        user = await user_codes.caller(ctx)
        if user is None:
            return self._to_sign_in(ctx, body.user_code)
        if body.decision == "approve":
            await user_codes.decide(ctx, user, body.user_code, "approved", NOT_YOURS_TO_APPROVE)
        else:
            await user_codes.decide(ctx, user, body.user_code, "denied", NOT_YOURS_TO_DENY)
        heading, text = RESULTS[body.decision]
        return self._page(ctx, heading, f"<h1>{heading}</h1>\n<p>{text}</p>")

    def _to_sign_in(self, ctx: Context, user_code: str | None) -> Redirect:
        page = self.sign_in_page
        if page is None:
            raise ApiError(AUTHENTICATION_REQUIRED)
        typed = _typed(user_code)
        back = ctx.site.path + ENTER + (f"?{urlencode({'user_code': typed})}" if typed else "")
        is_here = origin_of(urljoin(ctx.site.url, page)) == origin_of(ctx.site.url)
        return Redirect(sign_in_url(page, back if is_here else ctx.site.origin + back))

    def _entry(self, ctx: Context, user_code: object, problem: str | None = None) -> Html:
        typed = _typed(user_code)
        state = 'aria-describedby="hint"' if problem is None else 'aria-describedby="problem hint" aria-invalid="true"'
        content = ENTRY.format(
            heading=HEADING,
            action=escape(ctx.site.path + LOOK),
            problem="" if problem is None else PROBLEM.format(text=problem),
            typed=escape(typed),
            longest=LONGEST,
            # Who has a code in the field already goes on from the top of the page.
            state=state if typed and problem is None else f"{state} autofocus",
        )
        # A screen reader says the title first.
        return self._page(ctx, HEADING if problem is None else f"Error: {HEADING}", content)

    def _page(self, ctx: Context, title: str, content: str) -> Html:
        targets = [] if self.sign_in_page is None else [self.sign_in_page]
        return ctx.auth.pages.page(title, content, headers=form_headers(targets))


def _typed(user_code: object) -> str:
    """Return what a field or a link may hold of what was sent for a code."""
    return user_code[:LONGEST].encode(errors="replace").decode() if isinstance(user_code, str) else ""


def _facts(row: DeviceCodeRow, user: User) -> Iterable[str]:
    yield f"<dt>Code</dt><dd><code>{escape(row.user_code)}</code></dd>"
    if row.client_id:
        yield f"<dt>Who asks</dt><dd>{escape(row.client_id)}</dd>"
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in (row.scope or "").split())
    if scopes:
        yield f"<dt>What for</dt><dd><ul>{scopes}</ul></dd>"
    name = f"{user.name} ({user.email})" if user.name else user.email
    yield f"<dt>You are signed in as</dt><dd>{escape(name)}</dd>"
