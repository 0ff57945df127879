"""All plugins of the package in one application, wherever its rows live and whoever makes their ids."""

from dataclasses import dataclass
from typing import Any

import pytest

from app import ORIGIN, content, plain, signed_up
from plugins.second_step import turned_on
from portico import (
    AdvancedOptions,
    AnyApi,
    Auth,
    CookieCacheOptions,
    DatabaseOptions,
    Headers,
    MemorySecondaryStorage,
    Request,
    SessionOptions,
    VerificationOptions,
)
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import GRANT_TYPE
from portico.plugins.jwt import Jwt, VerifyJwt
from portico.plugins.magic_link import MagicLink
from portico.plugins.multi_session import MultiSession
from portico.plugins.open_api import OpenApi
from portico.plugins.two_factor import OtpOptions, TwoFactor
from portico.plugins.username import Username
from portico.testing import Browser, Clock
from postbox import Postbox, follow
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-values")]

IDS = (None, "serial", "uuid")
PLACES = ("database", "secondary", "both", "cookies", "stateless")
PASSWORD = "password123"


@dataclass
class Setting:
    """An application with every plugin, and what it mailed."""

    auth: Auth[AnyApi]
    clock: Clock
    postbox: Postbox

    @property
    def browser(self) -> Browser:
        """A new one."""
        return Browser(self.auth, ORIGIN)

    async def user_of(self, browser: Browser) -> Any:
        found = content(await browser.get("/get-session"))
        return found and found["user"]

    async def followed(self, email: str) -> Browser:
        """Return a browser whose user came by a link in a mail."""
        browser = self.browser
        assert (await browser.post("/sign-in/magic-link", {"email": email, "callbackURL": "/in"})).status == 200
        response = await follow(browser, self.postbox.last)
        assert (response.status, dict(response.headers)["location"]) == (302, f"{ORIGIN}/in")
        return browser


def place_of(place: str, clock: Clock) -> dict[str, Any]:
    """Return the options of a place for rows that live for a while."""
    match place:
        case "database":
            return {}
        case "stateless":
            return {"database": None}
        case "cookies":
            return {"session": SessionOptions(cookie_cache=CookieCacheOptions(enabled=True, strategy="jwe"))}
        case _:
            return {
                "secondary_storage": MemorySecondaryStorage(clock),
                "session": SessionOptions(store_session_in_database=place == "both"),
                "verification": VerificationOptions(store_in_database=place == "both", store_identifier="hashed"),
            }


def plugins_of(postbox: Postbox) -> list[Any]:
    return [
        Bearer(),
        DeviceAuthorization(),
        Jwt(),
        MagicLink(send_magic_link=postbox.keep),
        MultiSession(),
        OpenApi(),
        TwoFactor(otp=OtpOptions(send_otp=postbox.keep_code)),
        Username(),
    ]


@pytest.fixture(params=[(place, ids) for place in PLACES for ids in IDS], ids=str)
def here(request: pytest.FixtureRequest) -> Setting:
    place, ids = request.param
    clock, postbox = Clock(), Postbox()
    plugins = plugins_of(postbox)
    if ids == "uuid":
        # Their order makes no difference.
        plugins.reverse()
    advanced = AdvancedOptions(database=DatabaseOptions(generate_id=ids))
    auth = plain(*plugins, clock=clock, advanced=advanced, naming="snake", **place_of(place, clock))
    return Setting(auth, clock, postbox)


@requirement("M05", "M02", "S-134", "S-202")
async def test_a_username_and_two_factors_sign_in(here: Setting) -> None:
    owner = await signed_up(here.auth, username="Ann")
    totp = await turned_on(owner, here.clock)
    browser, names = here.browser, {"username": "ANN", "password": PASSWORD}
    assert content(await browser.post("/sign-in/username", names))["twoFactorMethods"] == ["totp", "otp"]
    assert await here.user_of(browser) is None
    code = {"code": totp.at(here.clock()), "trustDevice": True}
    assert (await browser.post("/two-factor/verify-totp", code)).status == 200
    assert (await here.user_of(browser))["displayUsername"] == "Ann"
    assert content(await browser.post("/sign-in/username", names))["token"]
    other = here.browser
    await other.post("/sign-in/username", names)
    assert (await other.post("/two-factor/verify-totp", code)).status == 401
    await other.post("/two-factor/send-otp")
    assert (await other.post("/two-factor/verify-otp", {"code": here.postbox.codes[-1].otp})).status == 200


@requirement("E08", "S-106", "S-205f")
async def test_users_who_come_by_links_are_side_by_side(here: Setting) -> None:
    await signed_up(here.auth, "bob@example.com")
    browser = await here.followed("bob@example.com")
    assert (await here.user_of(browser))["emailVerified"] is True
    refused = await here.browser.post("/sign-in/email", {"email": "bob@example.com", "password": PASSWORD})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_EMAIL_OR_PASSWORD")
    await browser.post("/sign-up/email", {"name": "Eve", "email": "eve@example.com", "password": PASSWORD})
    listed = content(await browser.get("/multi-session/list-device-sessions"))
    assert [each["user"]["email"] for each in listed] == ["bob@example.com", "eve@example.com"]
    back = await browser.post("/multi-session/set-active", {"sessionToken": listed[0]["session"]["token"]})
    assert (back.status, (await here.user_of(browser))["email"]) == (200, "bob@example.com")


@requirement("P09", "S-198", "S-199")
async def test_a_device_gets_tokens_for_other_services(here: Setting) -> None:
    owner = await here.followed("new@example.com")
    codes = content(await here.browser.post("/device/code", {"client_id": "cli"}))
    await owner.get("/device", f"user_code={codes['user_code']}")
    assert (await owner.post("/device/approve", {"userCode": codes["user_code"]})).status == 200
    asked = {"grant_type": GRANT_TYPE, "device_code": codes["device_code"], "client_id": "cli"}
    token = content(await here.browser.post("/device/token", asked))["access_token"]
    headers = Headers([("authorization", f"Bearer {token}")])
    signed = content(await here.auth.handler(Request(method="GET", path="/api/auth/token", headers=headers)))["token"]
    verified = await here.auth.api.jwt.verify_jwt(None, VerifyJwt(token=signed))
    assert verified.payload["email"] == "new@example.com"
