"""The plugin: what it adds to the tables, limits and cookies, and its two groups of endpoints."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from portico.models import SessionT, UserT
from portico.plugins.two_factor import challenges, trusted_devices
from portico.plugins.two_factor.declarations import TwoFactorRow, TwoFactorUser
from portico.plugins.two_factor.enrolment import Enrolment
from portico.plugins.two_factor.second_step import SecondStep
from portico.rate_limit import RateLimit


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoFactor(SecondStep[UserT, SessionT], Enrolment[UserT, SessionT]):
    """A second factor at every sign-in of a user who turned it on."""

    id: ClassVar[str] = "two-factor"
    columns = MappingProxyType({"user": TwoFactorUser})
    tables = MappingProxyType({"twoFactor": TwoFactorRow})
    limits = MappingProxyType({"/two-factor/*": RateLimit(window=10, max=3)})
    cookies = (challenges.TWO_FACTOR, trusted_devices.TRUST_DEVICE)
