"""Links in mails: their tokens, their addresses, and the way back to a page of the application."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from pydantic_core import to_json

from portico.context import Context
from portico.crypto.claims import are_current
from portico.crypto.jwt import open_jwt, sign_jwt
from portico.errors import EMAIL_NOT_VERIFIED, INVALID_TOKEN, TOKEN_EXPIRED, ApiError, ConfigError
from portico.mails import Mailer, OnUser, VerificationMail
from portico.models import User
from portico.origin import origin_of

MailT = TypeVar("MailT")
HOME = "/"
"""Where a link leads if nobody said so."""


def send(ctx: Context, mailer: Mailer[MailT], write: Callable[[], MailT]) -> None:
    """Send a mail after the answer; even writing it costs no time that somebody could measure."""

    async def work() -> None:
        # To those without a type checker, any function looks right.
        sending: Any = mailer(write(), ctx.request)
        if not isinstance(sending, Awaitable):
            name = getattr(mailer, "__qualname__", repr(mailer))
            raise ConfigError(f"what sends mails is awaited: write `async def {name}`, so that it holds up nobody else")
        await sending

    ctx.reply.background.append(work)


def tell(ctx: Context, listener: OnUser | None, user: User) -> None:
    """Tell the application about a user after the answer."""
    if listener is not None:
        ctx.reply.background.append(partial(listener, user, ctx.request))


def send_verification(ctx: Context, user: User, callback_url: str | None) -> None:
    """Mail `user` the link that proves the address, if the application sends such mails."""
    mailer = ctx.auth.email_verification.send_verification_email
    if mailer is not None:
        send(ctx, mailer, partial(verification_mail, ctx, user, callback_url, {"email": user.email}))


def verification_mail(
    ctx: Context, user: User, callback_url: str | None, claims: Mapping[str, Any]
) -> VerificationMail:
    """Return the mail to `user` whose link proves what the claims say."""
    token = sign(ctx, {**claims, "userId": user.id})
    return VerificationMail(user=user, url=link(ctx, "/verify-email", callback_url or HOME, token=token), token=token)


def require_verified(ctx: Context, user: User, callback_url: str | None) -> None:
    """Refuse a sign-in with an address that must be proven and is not.

    Called when the password is known to be right: nobody else learns whether the address is proven.
    """
    if user.email_verified or not ctx.auth.email_and_password.require_email_verification:
        return
    if ctx.auth.email_verification.send_on_sign_in:
        send_verification(ctx, user, callback_url)
    raise ApiError(EMAIL_NOT_VERIFIED)


def sign(ctx: Context, claims: Mapping[str, Any]) -> str:
    """Return a token for a link to /verify-email, which says what it is for by its claims."""
    now = int(ctx.now().timestamp())
    expires_at = now + ctx.auth.email_verification.expires_in
    return sign_jwt({**claims, "iat": now, "exp": expires_at}, ctx.auth.keyring.current)


def read(ctx: Context, token: str) -> Mapping[str, Any]:
    """Return what a link says.

    Raises:
        ApiError: INVALID_TOKEN, or TOKEN_EXPIRED when it was genuine once.
    """
    claims = open_jwt(token, ctx.auth.keyring.accepted)
    if claims is None or "exp" not in claims:
        raise ApiError(INVALID_TOKEN)
    if not are_current(claims, int(ctx.now().timestamp())):
        raise ApiError(TOKEN_EXPIRED)
    return claims


async def void(ctx: Context, user: User) -> None:
    """End every change of the user's address that is under way: who asked for it may have been somebody else."""
    lifetime = ctx.auth.email_verification.expires_in
    await ctx.auth.verifications.put(ctx, _voided(user), str(int(ctx.now().timestamp())), lifetime)


async def is_void(ctx: Context, user: User, claims: Mapping[str, Any]) -> bool:
    """Tell whether a link that changes the address is older than the last time that such links were ended."""
    since, issued = await ctx.auth.verifications.get(ctx, _voided(user)), claims.get("iat")
    return since is not None and (not isinstance(issued, int) or issued < int(since))


def _voided(user: User) -> str:
    return f"links-void-since-{user.id}"


def link(ctx: Context, path: str, callback_url: str, **query: str) -> str:
    """Return the address of an endpoint: always under the configured base URL, whatever host was asked."""
    pairs = {**query, "callbackURL": callback_url}
    # Text that is no Unicode cannot be in a link; it is refused when the link is followed.
    text = "&".join(f"{name}={quote(value, safe=UNRESERVED, errors='replace')}" for name, value in pairs.items())
    return f"{_address(ctx, path)}?{text}"


def form_link(ctx: Context, path: str, query: Mapping[str, str]) -> str:
    """Return the address of an endpoint like `link`, with a query that is written as browsers write forms."""
    return f"{_address(ctx, path)}?{_as_form(query.items())}"


def _address(ctx: Context, path: str) -> str:
    if not ctx.site.origin:
        raise ConfigError("a link was asked for by a call that says no host: give DynamicBaseURL a fallback")
    return f"{ctx.site.url}{path}"


UNRESERVED = "!*'()"
"""What encodeURIComponent leaves alone and `quote` does not."""


def with_query(url: str, name: str, value: str) -> str:
    """Return `url` with one query field set; what it said about the field before is gone."""
    base, query, fragment = _apart(url)
    pairs = parse_qsl(query[1:], keep_blank_values=True)
    place = next((index for index, (key, _) in enumerate(pairs) if key == name), len(pairs))
    others = [pair for pair in pairs[place:] if pair[0] != name]
    return f"{_with_path(base)}?{_as_form([*pairs[:place], (name, value), *others])}{fragment}"


def with_fields(url: str, fields: Mapping[str, Any]) -> str:
    """Return `url` with the fields of a message in its query; of a list, the values between commas."""
    for name, value in fields.items():
        values: list[Any] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]  # of what, is as open as the rest
        url = with_query(
            url, name, ",".join(each if isinstance(each, str) else to_json(each).decode() for each in values)
        )
    return url


def _as_form(pairs: Iterable[tuple[str, str]]) -> str:
    # Browsers write a form like this; Python leaves the tilde.
    return urlencode(list(pairs), safe="*", errors="replace").replace("~", "%7E")


def with_error(url: str, code: str) -> str:
    """Return `url`, which was checked before, with an error in its query, which otherwise stays as it is."""
    base, query, fragment = _apart(url.strip(" "))
    # Two slashes at the beginning would lead to another host.
    whole = f"/{_resolved(base).lstrip('/')}" if _is_path(base) else _written(base)
    return f"{whole}?{query[1:]}&error={code}{fragment}" if query[1:] else f"{whole}?error={code}{fragment}"


def absolute(ctx: Context, url: str) -> str:
    """Return a place that was checked before as a whole URL, written as browsers write it."""
    base, query, fragment = _apart(url.strip(" "))
    whole = f"{ctx.site.origin}{_resolved(base)}" if _is_path(base) else _written(base)
    return f"{whole}{query}{fragment}"


def _written(base: str) -> str:
    """Return an address, up to its query, as browsers write it."""
    scheme, separator, rest = base.partition("://")
    site = origin_of(base)
    if not site:
        return f"{scheme.lower()}{separator}{rest}"
    return f"{site}{_resolved(rest[rest.find('/') :] if '/' in rest else '/')}"


def _is_path(url: str) -> bool:
    """Tell whether a place that was checked before is on our own site."""
    return url.startswith("/")


def _resolved(path: str) -> str:
    """Return a path without dots that lead up, as browsers resolve them; it may then begin with two slashes."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for each in segments:
        dots = each.lower().replace("%2e", ".")
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(each)
    ends_above = segments[-1].lower().replace("%2e", ".") in {".", ".."}
    return "/" + "/".join([*kept, ""] if ends_above else kept)


def _apart(url: str) -> tuple[str, str, str]:
    """Return a URL in three: up to its query, the query with its mark, and the fragment with its own."""
    head, hash_mark, fragment = url.partition("#")
    base, question_mark, query = head.partition("?")
    return base, question_mark + query, hash_mark + fragment


def _with_path(base: str) -> str:
    """Return an address as browsers write it: a page of the web has a path."""
    scheme, separator, rest = base.partition("://")
    return f"{base}/" if separator and scheme.lower() in {"http", "https"} and "/" not in rest else base
