"""What generated clients run on."""

from portico_client_runtime._async.client import AsyncBaseClient
from portico_client_runtime._async.resource import AsyncResource
from portico_client_runtime._async.session import AsyncSessionStore
from portico_client_runtime._sync.client import BaseClient
from portico_client_runtime._sync.resource import Resource
from portico_client_runtime._sync.session import SessionStore
from portico_client_runtime.authentication import ApiKeyAuth, Authentication, BearerAuth, CookieAuth, ForwardedAuth
from portico_client_runtime.file_storage import FileStorage
from portico_client_runtime.hooks import Callbacks, ClientPlugin
from portico_client_runtime.jwt_auth import JWTAuth
from portico_client_runtime.operation import OMIT, Omit, Operation, RequestOptions
from portico_client_runtime.raw import RawResponse
from portico_client_runtime.session_state import SessionState
from portico_client_runtime.signals import Store
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation, Do
from portico_client_runtime.storage import CredentialStorage, MemoryStorage

__all__ = [
    # clients
    "AsyncBaseClient",
    "AsyncResource",
    "AsyncSessionStore",
    "BaseClient",
    "Resource",
    "SessionStore",
    # what a call is made of
    "OMIT",
    "Omit",
    "Operation",
    "RawResponse",
    "RequestOptions",
    # authentication
    "ApiKeyAuth",
    "Authentication",
    "BearerAuth",
    "CookieAuth",
    "ForwardedAuth",
    "JWTAuth",
    # for an Authentication of one's own
    "Conversation",
    "Do",
    "Site",
    # credentials
    "CredentialStorage",
    "FileStorage",
    "MemoryStorage",
    # hooks, signals and the session
    "Callbacks",
    "ClientPlugin",
    "SessionState",
    "Store",
]
