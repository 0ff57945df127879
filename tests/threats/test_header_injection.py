"""A value ends its line: every field, placeholder, cookie and header that somebody else writes."""

import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from app import ORIGIN
from portico import AdvancedOptions, OnApiError, Request, Response
from requirements import requirement
from threats.everything import PASSWORD, Door, Site, Visitor, everything

pytestmark = [pytest.mark.anyio, requirement("C06")]

INJECTED = "x-evil: 1"
LINES = [
    f"a\r\n{INJECTED}",
    f"a\n{INJECTED}",
    f"a\r{INJECTED}",
    f"a%0d%0a{INJECTED}",
    f"a%250d%250a{INJECTED}",
    f"a\u560a\u560d{INJECTED}",
    f"a\u2028{INJECTED}",
    f"a\x85{INJECTED}",
    f"a\x0c{INJECTED}",
    f"a\x00{INJECTED}",
    f"a; {INJECTED}; path=/",
]
"""The last bytes of the letters U+560A and U+560D are LF and CR."""
NAME, VALUE = re.compile(r"[a-z-]+"), re.compile(r"[\x20-\x7e\xa0-\xff]*")
OURS = {
    "access-control-expose-headers",
    "cache-control",
    "content-security-policy",
    "content-type",
    "location",
    "pragma",
    "referrer-policy",
    "set-auth-jwt",
    "set-auth-token",
    "set-cookie",
    "x-content-type-options",
}
COOKIES = {"better-auth.session_token", "better-auth.session_data", "better-auth.dont_remember"}
OF_MANY = re.compile(r"better-auth\.session_token_multi-[a-z0-9]{32}")

SHAPES = [("url", "/{}"), ("redirect", "/{}"), ("url", "myapp://{}"), ("email", "{}@example.com")]
"""What a field has to look like for its value to be read at all, by a part of its name."""

SITE = everything(advanced=AdvancedOptions(), trusted_origins=["myapp://"])


def requests(door: Door, visitor: Visitor, line: str) -> Iterator[Request]:
    """Yield requests with the line in each place that a stranger can write into."""
    ours = (visitor.cookie, ("origin", ORIGIN))
    body, query = visitor.body(door), door.query
    for name in sorted(door.fields):
        for value in (line, *(each.format(line) for kind, each in SHAPES if kind in name.lower())):
            if door.has_body:
                yield door.request(*ours, body={**body, name: value}, query=query)
            yield door.request(*ours, body=body, query={**query, name: value})
    yield door.request(*ours, body=body, query={**query, line: "x", "error": line, "error_description": line})
    if door.endpoint.parameters[:1] == ("token",):
        yield door.request(*ours, query=query, placeholder=line)
    # A host hands headers over as Latin-1.
    text = line.encode().decode("latin-1")
    for header in ("origin", "referer", "user-agent", "x-forwarded-for", "x-forwarded-host", "host", "authorization"):
        yield door.request(*ours, (header, text), body=body, query=query)
    for cookie in sorted(COOKIES):
        yield door.request(("cookie", f"{cookie}={text}"), ours[1], body=body, query=query)


def assert_is_whole(response: Response) -> None:
    """Every header is one of ours, and one line of letters that a header may hold. See RFC 9110 §5.5."""
    assert response.status < 500
    for name, value in response.headers:
        assert name in OURS
        assert VALUE.fullmatch(value), (name, value)
        if name == "set-cookie":
            cookie = value.partition("=")[0]
            assert cookie in COOKIES or OF_MANY.fullmatch(cookie)
            assert "evil" not in value


@pytest.mark.parametrize("door", SITE.distinct_doors, ids=str)
async def test_no_value_begins_a_line_of_its_own(door: Door) -> None:
    visitor = await SITE.first_visitor()
    # What reads nothing has nothing to repeat.
    for line in LINES if door.fields or door.endpoint.parameters else LINES[:3]:
        for request in requests(door, visitor, line):
            assert_is_whole(await SITE.answer(request))


@pytest.mark.parametrize("line", LINES, ids=ascii)
async def test_an_error_page_of_the_application_is_led_to_by_one_line(line: str) -> None:
    site = everything(on_api_error=OnApiError(error_url="https://app.example.com/error?x=y"))
    [door] = [door for door in site.doors if str(door) == "GET /error"]
    response = await site.answer(door.request(query={"error": "denied", "error_description": line}))
    assert_is_whole(response)
    place = dict(response.headers)["location"]
    assert place.startswith("https://app.example.com/error?x=y&error=denied&error_description=a")


PLACES = ("callbackURL", "newUserCallbackURL", "errorCallbackURL")


async def mailed(site: Site, line: str) -> None:
    """Ask for every mail there is, with the line in whatever the mail could repeat."""
    visitor = await site.visitor()
    place = f"/{line}"
    for path, body in (
        ("/sign-up/email", {"name": line, "email": f"b{line}@example.com", "password": PASSWORD, "callbackURL": place}),
        ("/sign-up/email", {"name": line, "email": f"b@{line}.example.com", "password": PASSWORD}),
        ("/update-user", {"name": line, "image": line}),
        ("/request-password-reset", {"email": visitor.email, "redirectTo": place}),
        ("/send-verification-email", {"email": visitor.email, "callbackURL": place}),
        ("/change-email", {"newEmail": f"c{line}@example.com", "callbackURL": place}),
        ("/change-email", {"newEmail": "new@example.com", "callbackURL": place}),
        ("/delete-user", {"callbackURL": place}),
        ("/sign-in/magic-link", {"email": visitor.email, "name": line, **dict.fromkeys(PLACES, place)}),
        ("/sign-in/magic-link", {"email": f"d{line}@example.com"}),
    ):
        await visitor.browser.post(path, body)
    await site.auth.users.update(site.auth.context(None), {"email": visitor.email}, email_verified=True)
    await visitor.browser.post("/change-email", {"newEmail": "new@example.com", "callbackURL": place})


@pytest.mark.parametrize("line", LINES, ids=ascii)
async def test_no_address_and_no_link_ends_a_line_of_a_mail(line: str) -> None:
    site = everything(advanced=AdvancedOptions())
    await mailed(site, line)
    for address, mail in site.postbox.mails:
        message = EmailMessage()
        # Python refuses to write what would end the line.
        message["To"] = address
        message["X-Link"] = mail.url
        message["X-Token"] = mail.token
        message["X-New-Address"] = getattr(mail, "new_email", "")
        assert message.as_bytes().count(b"x-evil: 1") == 0
        assert all(each.isprintable() and each.isascii() for each in (address, mail.url, mail.token))
        assert mail.url.startswith(f"{ORIGIN}/api/auth/")


async def test_the_mails_are_there() -> None:
    site = everything(advanced=AdvancedOptions())
    await mailed(site, "a%0d%0ax")
    kinds = [type(mail).__name__ for _, mail in site.postbox.mails]
    assert set(kinds) == {
        "VerificationMail",
        "ResetPasswordMail",
        "ChangeEmailMail",
        "DeleteAccountMail",
        "MagicLinkMail",
    }
