"""The API that the published OpenAPI document and the published client are made from: every plugin of this package."""

from collections.abc import Mapping
from types import MappingProxyType

from portico.api import Api
from portico.auth import Auth
from portico.crypto.random import random_letters
from portico.http import Request
from portico.models import Session, User
from portico.openapi import Json, document
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.jwt import Jwt
from portico.plugins.magic_link import MagicLink, MagicLinkMail
from portico.plugins.multi_session import MultiSession
from portico.plugins.open_api import OpenApi
from portico.plugins.two_factor import OtpMail, OtpOptions, TwoFactor
from portico.plugins.username import Username

LEFT_OUT: Mapping[str, str] = MappingProxyType({})
"""Plugins of this package that the document does not describe, by module, each with the reason."""


async def send_nothing(mail: MagicLinkMail | OtpMail, request: Request | None) -> None:
    """Mail nothing: who serves this API says who mails."""


class PublishedApi(Api[User, Session]):
    bearer = Bearer()
    device_authorization = DeviceAuthorization()
    jwt = Jwt()
    magic_link = MagicLink(send_magic_link=send_nothing)
    multi_session = MultiSession()
    open_api = OpenApi()
    two_factor = TwoFactor(otp=OtpOptions(send_otp=send_nothing))
    username = Username()


def published_document() -> Json:
    """Describe every server that has some of the plugins: what a plugin adds is marked and never required."""
    auth = Auth(api=PublishedApi, app_name="Portico", base_url="http://localhost", secret=random_letters(48))
    return document(auth, is_published=True)
