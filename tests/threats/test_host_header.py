"""A request says that we live elsewhere: the base URL is static, and nothing that is sent changes it."""

import pytest

from app import ORIGIN
from portico import AdvancedOptions, Response
from requirements import requirement
from threats.everything import PEER, Door, Site, Visitor, code_of, everything

pytestmark = [pytest.mark.anyio, requirement("C07")]

EVIL = [
    [("host", "evil.test")],
    [("host", "localhost:3000.evil.test")],
    [("host", "localhost:3000@evil.test")],
    [("host", "localhost:3000"), ("x-forwarded-host", "evil.test"), ("x-forwarded-proto", "https")],
    [("host", "localhost:3000"), ("x-forwarded-host", "evil.test, localhost:3000"), ("x-forwarded-port", "444")],
    [("host", "localhost:3000"), ("forwarded", 'for=1.2.3.4;host="evil.test";proto=https')],
    [("host", "localhost:3000"), ("x-original-url", "//evil.test/"), ("x-rewrite-url", "//evil.test/")],
    [("host", "localhost:3000"), ("x-host", "evil.test"), ("x-forwarded-server", "evil.test")],
    [("host", "localhost:3000"), ("x-forwarded-prefix", "//evil.test"), ("x-http-host-override", "evil.test")],
    [("host", "localhost:3000"), ("x-forwarded-proto", "https"), ("x-forwarded-ssl", "on"), ("front-end-https", "on")],
]
SITES = {
    "no proxy": everything(),
    "trusted proxy": everything(advanced=AdvancedOptions(trusted_proxy_headers=True, trusted_proxies=[PEER])),
}
"""A base URL that is written down stays, however much the proxy is trusted."""


def said(response: Response) -> str:
    """Return everything that an answer says."""
    return response.body.decode() + "".join(f"{name}: {value}\n" for name, value in response.headers)


async def ask(site: Site, door: Door, headers: list[tuple[str, str]], visitor: Visitor | None = None) -> None:
    """Send a request that names another host, and look for it in the answer and in the mails."""
    mails = len(site.postbox.mails)
    cookies = [visitor.cookie] if visitor else []
    body = visitor.body(door) if visitor else door.body
    response = await site.answer(door.request(*headers, ("origin", ORIGIN), *cookies, body=body))
    assert response.status < 500, door
    assert "evil" not in said(response), door
    # An address that is https for others does not make our cookies secure, or strange to us.
    assert "Secure" not in said(response), door
    assert all(mail.url.startswith(f"{ORIGIN}/api/auth/") for _, mail in site.postbox.mails[mails:]), door


@pytest.mark.parametrize("headers", EVIL, ids=lambda headers: headers[-1][0] + " " + headers[-1][1])
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
async def test_no_answer_and_no_mail_repeats_the_host_that_a_request_names(
    headers: list[tuple[str, str]], site: Site
) -> None:
    visitor = await site.first_visitor()
    for door in site.distinct_doors:
        await ask(site, door, headers, visitor)
        # What changes something may have ended the session.
        visitor = await site.visitor() if door.changes else visitor
    kinds = {type(mail).__name__ for _, mail in site.postbox.mails}
    assert kinds == {"VerificationMail", "ResetPasswordMail", "DeleteAccountMail", "MagicLinkMail"}


@pytest.mark.parametrize("path", ["/ok", "/sign-up/email", "/request-password-reset", "/verify-email", "/error"])
async def test_the_first_request_of_all_decides_nothing(path: str) -> None:
    site = everything()
    [door] = [door for door in site.doors if door.route.path == path and not door.route.confirms]
    await ask(site, door, [*EVIL[3], ("forwarded", "host=evil.test")])
    visitor = await site.visitor()
    await visitor.browser.post("/request-password-reset", {"email": visitor.email})
    assert len(site.postbox.mails) >= 2
    assert all(mail.url.startswith(f"{ORIGIN}/api/auth/") for _, mail in site.postbox.mails)
    assert (await visitor.browser.get("/get-session")).status == 200


@requirement("B-48", "C01")
async def test_a_page_without_origin_is_of_the_host_that_it_was_asked_at() -> None:
    site = everything()
    visitor = await site.visitor()
    [door] = [door for door in site.doors if str(door) == "POST /update-user"]
    hidden = (visitor.cookie, ("origin", "null"), ("sec-fetch-site", "same-origin"))
    before = await site.remembered()
    for host in ("evil.test", "localhost:3001", "localhost:3000.evil.test", "localhost:3000@evil.test", ""):
        response = await site.answer(door.request(*hidden, ("host", host)))
        assert (response.status, code_of(response)) == (403, "INVALID_ORIGIN"), host
    assert await site.remembered() == before
    assert (await site.answer(door.request(*hidden, ("host", "localhost:3000")))).status == 200
