"""A request says that we live elsewhere: the base URL is static, and nothing that is sent changes it."""

import pytest

from app import ORIGIN
from portico import AdvancedOptions, Response
from requirements import requirement
from threats.everything import PEER, Door, Visitor, code_of, everything

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
PROXIES = [AdvancedOptions(), AdvancedOptions(trusted_proxy_headers=True, trusted_proxies=[PEER])]
"""A base URL that is written down stays, however much the proxy is trusted."""


def said(response: Response) -> str:
    """Return everything that an answer says."""
    return response.body.decode() + "".join(f"{name}: {value}\n" for name, value in response.headers)


@pytest.mark.parametrize("headers", EVIL, ids=lambda headers: headers[-1][0] + " " + headers[-1][1])
@pytest.mark.parametrize("advanced", PROXIES, ids=["no proxy", "trusted proxy"])
async def test_no_answer_and_no_mail_repeats_the_host_that_a_request_names(
    headers: list[tuple[str, str]], advanced: AdvancedOptions
) -> None:
    site = everything(advanced=advanced)

    async def ask(door: Door, visitor: Visitor | None) -> None:
        mails = len(site.postbox.mails)
        cookies = [visitor.cookie] if visitor else []
        body = visitor.body(door) if visitor else door.body
        response = await site.answer(door.request(*headers, ("origin", ORIGIN), *cookies, body=body))
        assert response.status < 500, door
        assert "evil" not in said(response), door
        # An address that is https for others does not make our cookies secure, or strange to us.
        assert "Secure" not in said(response), door
        assert all(mail.url.startswith(f"{ORIGIN}/api/auth/") for _, mail in site.postbox.mails[mails:]), door

    # The first request of all comes from outside.
    for door in site.doors:
        if door.endpoint.csrf == "login":
            await ask(door, None)
    for door in site.doors:
        if door.route.method in {"GET", "POST"}:
            await ask(door, await site.visitor())
    assert (await site.visitor()).email in site.postbox.addresses[-1]
    kinds = {type(mail).__name__ for _, mail in site.postbox.mails}
    assert kinds == {"VerificationMail", "ResetPasswordMail", "DeleteAccountMail"}


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
