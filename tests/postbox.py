"""Where the tests' applications send their mails, and what else they are told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import CHEAP
from portico import (
    ChangeEmail,
    ChangeEmailMail,
    DeleteAccountMail,
    DeleteUser,
    EmailAndPassword,
    EmailVerification,
    Headers,
    Request,
    ResetPasswordMail,
    Response,
    User,
    UserOptions,
    VerificationMail,
)
from portico.mails import address_of
from portico.plugins.magic_link import MagicLinkMail
from portico.plugins.two_factor import OtpMail
from portico.testing import Browser

NOTHING: Mapping[str, Any] = MappingProxyType({})
Mail = ResetPasswordMail | VerificationMail | ChangeEmailMail | DeleteAccountMail | MagicLinkMail


@dataclass
class Postbox:
    """Keeps every mail, as (address, mail), every code, and every event, as (name, address), in order."""

    mails: list[tuple[str, Mail]] = field(default_factory=list[tuple[str, Mail]])
    codes: list[OtpMail] = field(default_factory=list[OtpMail])
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    requests: list[Request | None] = field(default_factory=list["Request | None"])

    async def keep(self, mail: Mail, request: Request | None) -> None:
        self.mails.append((address_of(mail), mail))
        self.requests.append(request)

    async def keep_code(self, mail: OtpMail, request: Request | None) -> None:
        self.codes.append(mail)

    def tells(self, name: str) -> Any:
        async def keep(user: User, request: Request | None) -> None:
            self.told.append((name, user.email))

        return keep

    def options(
        self,
        password: Mapping[str, Any] = NOTHING,
        verification: Mapping[str, Any] = NOTHING,
        change: Mapping[str, Any] = NOTHING,
        delete: Mapping[str, Any] = NOTHING,
    ) -> dict[str, Any]:
        """Return the options of an application that mails everything; each mapping changes those of one group."""
        of_password: dict[str, Any] = {
            "enabled": True,
            "password": CHEAP,
            "send_reset_password": self.keep,
            "on_password_reset": self.tells("password reset"),
            "on_password_set": self.tells("password set"),
            "on_existing_user_sign_up": self.tells("existing user"),
            **password,
        }
        of_verification: dict[str, Any] = {
            "send_verification_email": self.keep,
            "before_email_verification": self.tells("before verification"),
            "after_email_verification": self.tells("after verification"),
            **verification,
        }
        of_change: dict[str, Any] = {"enabled": True, "send_change_email_confirmation": self.keep, **change}
        of_delete: dict[str, Any] = {
            "enabled": True,
            "send_delete_account_verification": self.keep,
            "before_delete": self.tells("before delete"),
            "after_delete": self.tells("after delete"),
            **delete,
        }
        return {
            "email_and_password": EmailAndPassword(**of_password),
            "email_verification": EmailVerification(**of_verification),
            "user": UserOptions(change_email=ChangeEmail(**of_change), delete_user=DeleteUser(**of_delete)),
        }

    @property
    def last(self) -> Mail:
        return self.mails[-1][1]

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.mails]


def request(browser: Browser, path: str, body: object) -> Request:
    """Return what a browser sends, for answers that are to be seen before the work after them is done."""
    headers = Headers([*browser.headers.items(), ("content-type", "application/json")])
    return Request(
        method="POST", path=f"{browser.auth.site.path}{path}", headers=headers, body=json.dumps(body).encode()
    )


async def follow(browser: Browser, mail: Mail) -> Response:
    """Open the link of a mail."""
    parts = urlsplit(mail.url)
    assert f"{parts.scheme}://{parts.netloc}" == browser.origin
    return await browser.get(parts.path.removeprefix(browser.auth.site.path), parts.query)


def said_in(url: str) -> dict[str, str]:
    """Return the query of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def location(response: Response) -> str:
    assert response.status == 302, response
    return dict(response.headers)["location"]
