"""Sign in on a device without a keyboard or a browser, such as a command line. See RFC 8628."""

from portico.plugins.device_authorization.declarations import (
    DeviceAuthorized,
    DeviceCode,
    DeviceCodeRequest,
    DeviceDecision,
    DeviceStatus,
    DeviceTokenRequest,
)
from portico.plugins.device_authorization.plugin import DeviceAuthorization

__all__ = [
    "DeviceAuthorization",
    "DeviceAuthorized",
    "DeviceCode",
    "DeviceCodeRequest",
    "DeviceDecision",
    "DeviceStatus",
    "DeviceTokenRequest",
]
