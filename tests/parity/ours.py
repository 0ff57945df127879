"""Portico on SQLite behind uvicorn, configured by the same environment as upstream.mjs."""

import json
import os
import sqlite3
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import anyio
import uvicorn
from pydantic import Field, ValidationError

from portico import (
    AccountLinking,
    AccountOptions,
    AnyApi,
    ApiError,
    Auth,
    ChangeEmail,
    Column,
    Context,
    DeleteUser,
    DynamicBaseURL,
    EmailAndPassword,
    EmailVerification,
    GenericOAuth,
    OAuthProvider,
    OnApiError,
    Plugin,
    PorticoError,
    Request,
    Session,
    SessionOptions,
    User,
    UserInfo,
    UserInfoRefused,
    UserOptions,
    VerificationOptions,
)
from portico.crypto.password import Scrypt
from portico.hosts import asgi
from portico.options import AdvancedOptions, CookieCacheOptions, DatabaseOptions, RateLimitOptions
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.jwt import Jwt, OverrideOptions, SignJwt, TokenRules, Unsigned, VerifyJwt
from portico.plugins.magic_link import MagicLink, MagicLinkMail
from portico.plugins.multi_session import MultiSession
from portico.plugins.two_factor import (
    AccountLockout,
    BackupCodeOptions,
    GenerateTotp,
    OtpMail,
    OtpOptions,
    Sealing,
    TotpOptions,
    TwoFactor,
    ViewBackupCodes,
)
from portico.plugins.username import Username, ValidationOrder
from portico.rate_limit import RateLimit

ENVIRONMENT = os.environ
TABLE = 'create table if not exists "secondaryStorage" ("key" text primary key, "value" text, "ends" bigint)'
WRITE = (
    'insert into "secondaryStorage" values (?, ?, ?)'
    ' on conflict do update set "value" = excluded."value", "ends" = excluded."ends"'
)
COUNT = (
    'insert into "secondaryStorage" values (?, 1, ?) on conflict do update set "value" = "value" + 1 returning "value"'
)
SESSION_FIELDS: dict[str, Any] = {
    "theme": Annotated[str | None, Column(input=True)],
    "text_size": Annotated[int | None, Column(input=True)],
    "note": Annotated[str | None, Column(input=True, returned=False)],
    "role": str | None,
}
USER_FIELDS: dict[str, Any] = {
    "plan": Annotated[Literal["free", "pro"], Column(input=True)],
    "nickname": Annotated[str | None, Column(input=True, unique=True)],
    "age": Annotated[int | None, Column(input=True)],
    "score": (Annotated[float, Column(input=True)], 0.5),
    "is_public": (Annotated[bool, Column(input=True)], False),
    "born_at": Annotated[datetime | None, Column(input=True)],
    "settings": Annotated[dict[str, Any] | None, Column(input=True)],
    "tags": Annotated[list[str], Column(input=True), Field(default_factory=list[str])],
    "lucky": Annotated[list[float] | None, Column(input=True)],
    "note": Annotated[str | None, Column(input=True, returned=False)],
    "role": (str, "member"),
    "reviewer": str | None,
    "handle": Annotated[str | None, Column(input=True, field_name="nick_handle", index=True)],
    "chief_id": Annotated[str | None, Column(input=True, references="user.id", on_delete="set null")],
}
# Upstream's columns hold whole numbers only on the database servers.
WHOLE: dict[str, Any] = {**USER_FIELDS, "score": (Annotated[int, Column(input=True)], 5)}
NAMES: dict[str, dict[str, Any]] = {
    "user": {"model_name": "users", "fields": {"name": "full_name", "email_verified": "is_verified"}},
    "session": {"model_name": "user_sessions", "fields": {"user_id": "owner_id", "token": "secret_token"}},
    "account": {"model_name": "accounts", "fields": {"user_id": "owner_id"}},
    "verification": {"model_name": "proofs", "fields": {"value": "held"}},
    "rate_limit": {"model_name": "hits", "fields": {"key": "who"}},
}


NAMED_COOKIES: dict[str, Any] = {
    "session_token": {"name": "sid", "same_site": "strict", "path": "/api"},
    "session_data": {"http_only": False},
}


class StoredStorage:
    """Secondary storage in a file beside the database, where the harness sees it; upstream.mjs has the same."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._connection.execute(TABLE)

    async def get(self, key: str) -> str | None:
        return self._one('select "value" from "secondaryStorage" where "key" = ?', key)

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        self._connection.execute(WRITE, (key, value, _ends(ttl)))

    async def delete(self, key: str) -> None:
        self._connection.execute('delete from "secondaryStorage" where "key" = ?', (key,))

    async def get_and_delete(self, key: str) -> str | None:
        return self._one('delete from "secondaryStorage" where "key" = ? returning "value"', key)

    async def increment(self, key: str, ttl: int) -> int:
        return int(self._one(COUNT, key, _ends(ttl)) or 0)

    def _one(self, statement: str, *parameters: object) -> str | None:
        rows = self._connection.execute(statement, parameters).fetchall()
        return str(rows[0][0]) if rows else None


def _ends(ttl: int | None) -> int | None:
    return None if ttl is None else int(time.time() + ttl) * 1000


def listed(name: str) -> list[str]:
    return [each for each in ENVIRONMENT.get(name, "").split(",") if each]


def seconds(**names: str) -> dict[str, Any]:
    return {option: int(ENVIRONMENT[name]) for option, name in names.items() if name in ENVIRONMENT}


def flags(**names: str) -> dict[str, Any]:
    return {option: ENVIRONMENT[name] == "1" for option, name in names.items() if name in ENVIRONMENT}


MAILS = listed("MAILS")
OUTBOX: list[dict[str, object]] = []


def mailer(kind: str) -> Callable[..., Any] | None:
    """Return a mailer that keeps what it is given, as upstream's does."""

    async def keep(mail: Any, request: object) -> None:
        rest = {"newEmail": mail.new_email} if hasattr(mail, "new_email") else {}
        OUTBOX.append({"kind": kind, "user": mail.user.email, **rest, "url": mail.url, "token": mail.token})

    return keep if kind in MAILS else None


def told(kind: str, switch: str = "hooks") -> Callable[..., Any] | None:
    async def keep(user: User, request: object) -> None:
        OUTBOX.append({"kind": kind, "user": user.email})

    return keep if switch in MAILS else None


async def keep_link(mail: MagicLinkMail, request: object) -> None:
    rest = {} if mail.metadata is None else {"metadata": mail.metadata}
    OUTBOX.append({"kind": "magic-link", "email": mail.email, "url": mail.url, "token": mail.token, **rest})


def magic_link() -> MagicLink[Any, Any]:
    way: Any = ENVIRONMENT.get("STORE_TOKEN", "plain")
    limits: dict[str, Any] = {}
    if "LINK_LIMIT" in ENVIRONMENT:
        limits["rate_limit"] = RateLimit(window=60, max=int(ENVIRONMENT["LINK_LIMIT"]))
    return MagicLink(
        send_magic_link=keep_link,
        # Tokens are stored backwards.
        store_token=(lambda token: token[::-1]) if way == "backwards" else way,
        generate_token=(lambda email: f"token-of-{email}") if is_on("TOKEN_OF_ADDRESS") else None,
        **limits,
        **flags(disable_sign_up="DISABLE_LINK_SIGN_UP"),
        **seconds(expires_in="LINK_EXPIRES_IN"),
    )


def without_spaces(name: str) -> str:
    return name.replace(" ", "").lower()


async def is_no_admin(name: str) -> bool:
    return "admin" not in name.lower()


def is_not_root(name: str) -> bool:
    return name != "Root"


def usernames() -> Username[Any, Any]:
    forms: Any = {"off": False, "without spaces": without_spaces}
    order: Any = ENVIRONMENT.get("NAME_ORDER", "pre-normalization")
    given: dict[str, Any] = {}
    if "USERNAME_FORM" in ENVIRONMENT:
        given["username_normalization"] = forms[ENVIRONMENT["USERNAME_FORM"]]
    if is_on("OWN_NAME_VALIDATORS"):
        given |= {"username_validator": is_no_admin, "display_username_validator": is_not_root}
    return Username(
        **given,
        display_username_normalization=forms[ENVIRONMENT.get("DISPLAY_FORM", "off")],
        validation_order=ValidationOrder(username=order, display_username=order),
        **seconds(min_length="USERNAME_MIN", max_length="USERNAME_MAX"),
        **flags(immutable_username="IMMUTABLE_USERNAME", display_username="DISPLAY_USERNAME"),
    )


def signing() -> Jwt[Any, Any]:
    options: dict[str, Any] = {
        option: ENVIRONMENT[name]
        for option, name in (
            ("algorithm", "JWT_ALGORITHM"),
            ("jwks_path", "JWT_PATH"),
            ("remote_url", "JWT_REMOTE"),
            ("issuer", "JWT_ISSUER"),
            ("expiration_time", "JWT_LIFETIME"),
        )
        if name in ENVIRONMENT
    }
    if is_on("JWT_CLAIMS"):
        options |= {"define_payload": claims_of, "get_subject": subject_of}
    return Jwt(
        **options,
        **seconds(rotation_interval="JWT_ROTATION", grace_period="JWT_GRACE"),
        audience=listed("JWT_AUDIENCE") or None,
        signer=sign_elsewhere if "JWT_REMOTE" in ENVIRONMENT else None,
        session_cookie_cache=is_on("JWT_COOKIE_CACHE"),
        disable_setting_jwt_header=is_on("JWT_NO_HEADER"),
        disable_private_key_encryption=is_on("JWT_PLAIN_KEYS"),
    )


def claims_of(found: Any) -> dict[str, Any]:
    return {"email": found.user.email, "until": found.session.expires_at, "sub": "nobody"}


def subject_of(found: Any) -> str:
    return f"user|{found.user.email}"


def sign_elsewhere(unsigned: Unsigned) -> str:
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "remote"}, unsigned.claims))
    return ".".join((*(urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"))


def devices() -> DeviceAuthorization[Any, Any]:
    options: dict[str, Any] = {}
    if "DEVICE_PAGE" in ENVIRONMENT:
        options["verification_uri"] = ENVIRONMENT["DEVICE_PAGE"]
    if "DEVICE_CLIENTS" in ENVIRONMENT:
        options |= {"validate_client": is_known_client, "on_device_auth_request": keep_request}
    if "DEVICE_CODES" in ENVIRONMENT:
        device_code, user_code = ENVIRONMENT["DEVICE_CODES"].split("|")
        options |= {"generate_device_code": lambda: device_code, "generate_user_code": lambda: user_code}
    return DeviceAuthorization(
        **options,
        **seconds(
            expires_in="DEVICE_LIFETIME",
            interval="DEVICE_INTERVAL",
            device_code_length="DEVICE_CODE_LENGTH",
            user_code_length="USER_CODE_LENGTH",
        ),
    )


async def is_known_client(client_id: str) -> bool:
    return client_id in listed("DEVICE_CLIENTS")


def keep_request(client_id: str, scope: str | None) -> None:
    OUTBOX.append({"kind": "device", "client": client_id, "scope": scope})


async def keep_code(mail: OtpMail, request: object) -> None:
    OUTBOX.append({"kind": "otp", "user": mail.user.email, "otp": mail.otp})


def backwards(text: str) -> str:
    return text[::-1]


SEALED = Sealing(encrypt=backwards, decrypt=backwards)


def factors() -> dict[str, Any]:
    options: dict[str, Any] = {
        "totp": TotpOptions(**seconds(digits="TOTP_DIGITS", period="TOTP_PERIOD"), **flags(disable="TOTP_DISABLE")),
        "account_lockout": AccountLockout(
            **flags(enabled="LOCKOUT"), **seconds(max_failed_attempts="LOCKED_AFTER", duration="LOCKED_FOR")
        ),
        **flags(skip_verification_on_enable="SKIP_VERIFICATION", allow_passwordless="ALLOW_PASSWORDLESS"),
        **seconds(two_factor_cookie_max_age="FACTOR_MAX_AGE", trust_device_max_age="TRUST_MAX_AGE"),
    }
    if "OTP" in ENVIRONMENT:
        way: Any = ENVIRONMENT["OTP"]
        own: dict[str, Any] = {"backwards": backwards, "sealed": SEALED}
        lifetime = {"expires_in": int(ENVIRONMENT["OTP_MINUTES"]) * 60} if "OTP_MINUTES" in ENVIRONMENT else {}
        options["otp"] = OtpOptions(
            send_otp=keep_code,
            store_otp=own.get(way, way),
            **seconds(digits="OTP_DIGITS", allowed_attempts="OTP_ATTEMPTS"),
            **lifetime,
        )
    store: Any = ENVIRONMENT.get("BACKUP_STORE", "encrypted")
    options["backup_codes"] = BackupCodeOptions(
        **seconds(amount="BACKUP_AMOUNT", length="BACKUP_LENGTH"),
        store=SEALED if store == "sealed" else store,
        generate=(lambda: ("first one", "second one")) if store == "sealed" else None,
    )
    return options


async def generate_totp(auth: Auth[AnyApi], body: Any) -> Any:
    return await auth.api.two_factor.generate_totp(None, GenerateTotp(**body))


async def view_backup_codes(auth: Auth[AnyApi], body: Any) -> Any:
    return await auth.api.two_factor.view_backup_codes(None, ViewBackupCodes(user_id=body["userId"]))


async def sign_jwt(auth: Auth[AnyApi], body: Any) -> Any:
    rules = body.get("overrideOptions", {}).get("jwt")
    asked: dict[str, Any] = {"payload": body["payload"]}
    if rules is not None:
        asked["override_options"] = OverrideOptions(jwt=TokenRules.model_validate(rules))
    return await auth.api.jwt.sign_jwt(None, SignJwt(**asked))


async def verify_jwt(auth: Auth[AnyApi], body: Any) -> Any:
    return await auth.api.jwt.verify_jwt(None, VerifyJwt(**body))


CALLS: dict[str, Callable[[Auth[AnyApi], Any], Any]] = {
    "signJWT": sign_jwt,
    "verifyJWT": verify_jwt,
    "generateTOTP": generate_totp,
    "viewBackupCodes": view_backup_codes,
}


PLUGINS: dict[str, Callable[[], Plugin[Any, Any]]] = {
    "bearer": Bearer,
    "device-authorization": devices,
    "jwt": signing,
    "magic-link": magic_link,
    "multi-session": lambda: MultiSession(**seconds(maximum_sessions="MAXIMUM_SESSIONS")),
    "username": usernames,
    "two-factor": lambda: TwoFactor(issuer=ENVIRONMENT["ISSUER"], **factors()),
}


def email_and_password() -> EmailAndPassword:
    return EmailAndPassword(
        enabled=ENVIRONMENT.get("EMAIL_AND_PASSWORD") != "0",
        password=Scrypt(),
        send_reset_password=mailer("reset-password"),
        on_password_reset=told("password-was-reset", "password-was-reset"),
        on_existing_user_sign_up=told("existing-user-sign-up", "existing-user-sign-up"),
        **flags(
            require_email_verification="REQUIRE_EMAIL_VERIFICATION",
            auto_sign_in="AUTO_SIGN_IN",
            revoke_sessions_on_password_reset="REVOKE_SESSIONS_ON_PASSWORD_RESET",
        ),
    )


def email_verification() -> EmailVerification:
    return EmailVerification(
        send_verification_email=mailer("verification"),
        before_email_verification=told("before-verification"),
        after_email_verification=told("after-verification"),
        **flags(
            send_on_sign_up="SEND_ON_SIGN_UP",
            send_on_sign_in="SEND_ON_SIGN_IN",
            auto_sign_in_after_verification="AUTO_SIGN_IN_AFTER_VERIFICATION",
        ),
    )


def names(table: str) -> dict[str, Any]:
    return NAMES[table] if is_on("RENAMED") else {}


def further() -> dict[str, dict[str, Any]]:
    fields = {"1": USER_FIELDS, "whole": WHOLE}.get(ENVIRONMENT.get("USER_FIELDS", ""))
    of_users = {"user": fields} if fields else {}
    return of_users | ({"session": SESSION_FIELDS} if is_on("SESSION_FIELDS") else {})


def user() -> UserOptions:
    return UserOptions(
        **names("user"),
        validate_user_info=validate_user_info if is_on("VALIDATE_USER_INFO") else None,
        change_email=ChangeEmail(
            send_change_email_confirmation=mailer("change-email-confirmation"),
            **flags(enabled="CHANGE_EMAIL", update_email_without_verification="UPDATE_EMAIL_WITHOUT_VERIFICATION"),
        ),
        delete_user=DeleteUser(
            send_delete_account_verification=mailer("delete-account"),
            before_delete=told("before-delete"),
            after_delete=told("after-delete"),
            **flags(enabled="DELETE_USER"),
        ),
    )


def is_on(name: str) -> bool:
    return ENVIRONMENT.get(name) == "1"


def cookie_cache() -> CookieCacheOptions:
    strategy: Any = ENVIRONMENT.get("COOKIE_CACHE")
    if not strategy:
        return CookieCacheOptions()
    return CookieCacheOptions(
        enabled=True,
        strategy=strategy,
        version=name_of_user if is_on("VERSION_OF_USER") else "1",
        refresh_cache=is_on("REFRESH_CACHE"),
        **seconds(max_age="COOKIE_CACHE_MAX_AGE"),
    )


def name_of_user(session: Session, user: User) -> str:
    return user.name


def verification() -> VerificationOptions:
    way: Any = ENVIRONMENT.get("STORE_IDENTIFIER", "plain")
    return VerificationOptions(
        **names("verification"), store_identifier=way, **flags(store_in_database="VERIFICATION_IN_DB")
    )


def providers() -> list[OAuthProvider]:
    if "PROVIDER" not in ENVIRONMENT:
        return []
    url = ENVIRONMENT["PROVIDER_URL"]
    given: dict[str, Any] = {"client_id": "client", "client_secret": "provider secret", "token_url": f"{url}/token"}
    return [GenericOAuth(id=ENVIRONMENT["PROVIDER"], user_info_url=f"{url}/userinfo", **given)]


async def validate_user_info(info: UserInfo, ctx: Context) -> UserInfoRefused | None:
    email: str = info.user["email"]
    if "broken" in email:
        raise LookupError("the directory is down")
    if "terse" in email:
        return UserInfoRefused(error="not_welcome")
    text = f"{info.source.action} {info.source.method}"
    return UserInfoRefused(error="not_welcome", error_description=text) if "refused" in email else None


def database() -> str | None:
    if is_on("STATELESS"):
        return None
    return ENVIRONMENT.get("DATABASE_URL") or f"sqlite:///{ENVIRONMENT['DB']}"


def base_url() -> str | DynamicBaseURL:
    hosts, protocol = listed("ALLOWED_HOSTS"), ENVIRONMENT.get("PROTOCOL")
    if not hosts:
        return ENVIRONMENT["BASE_URL"]
    given: Any = {} if protocol is None else {"protocol": protocol}
    return DynamicBaseURL(allowed_hosts=hosts, fallback=ENVIRONMENT.get("FALLBACK"), **given)


async def asked_origins(request: Request | None) -> list[str]:
    tenant = request and request.headers.get("x-tenant")
    return [f"https://{tenant}.example.net", "", *listed("TRUSTED_ORIGINS")] if tenant else []


def advanced() -> AdvancedOptions:
    ids: Any = ENVIRONMENT.get("GENERATE_ID")
    options: dict[str, Any] = flags(
        trusted_proxy_headers="TRUSTED_PROXY_HEADERS",
        disable_csrf_check="DISABLE_CSRF_CHECK",
        use_secure_cookies="SECURE_COOKIES",
        disable_ip_tracking="DISABLE_IP_TRACKING",
    )
    if "DISABLE_ORIGIN_CHECK" in ENVIRONMENT:
        unchecked = ENVIRONMENT["DISABLE_ORIGIN_CHECK"]
        options["disable_origin_check"] = unchecked.split(",") if unchecked.startswith("/") else unchecked == "1"
    if "CROSS_SUBDOMAIN" in ENVIRONMENT:
        shared = ENVIRONMENT["CROSS_SUBDOMAIN"]
        options["cross_subdomain_cookies"] = True if shared == "1" else shared
    if "COOKIE_PREFIX" in ENVIRONMENT:
        options["cookie_prefix"] = ENVIRONMENT["COOKIE_PREFIX"]
    if "ADDRESS_HEADERS" in ENVIRONMENT:
        options["address_headers"] = listed("ADDRESS_HEADERS")
    return AdvancedOptions(
        skip_trailing_slashes=is_on("SKIP_TRAILING_SLASHES"),
        # Who sends the requests of the harness stands for a proxy.
        trusted_proxies=listed("TRUSTED_PROXIES") or ["127.0.0.1"],
        database=DatabaseOptions(generate_id=ids),
        cookie_attributes={"same_site": "none", "partitioned": True} if is_on("COOKIE_ATTRIBUTES") else None,
        cookies=NAMED_COOKIES if is_on("NAMED_COOKIES") else {},
        **options,
        **seconds(ipv6_prefix="IPV6_PREFIX"),
    )


def on_error(error: Exception, ctx: Context | None) -> None:
    status, code = (error.error.status, error.error.code) if isinstance(error, ApiError) else (500, None)
    OUTBOX.append({"kind": "error", "status": status, "code": code})


def make() -> Auth[AnyApi]:
    options: dict[str, Any] = {"naming": ENVIRONMENT.get("NAMING", "camel")}
    if "OLDER_SECRET" in ENVIRONMENT:
        options["secrets"] = [(2, ENVIRONMENT["SECRET"]), (1, ENVIRONMENT["OLDER_SECRET"])]
    if ENVIRONMENT.get("SECONDARY") == "1":
        options["secondary_storage"] = StoredStorage(ENVIRONMENT["SECONDARY_DB"])
    storage: Any = ENVIRONMENT.get("RATE_LIMIT_STORAGE")
    return Auth(
        **options,
        social_providers=providers(),
        secret=ENVIRONMENT["SECRET"],
        base_url=base_url(),
        database=database(),
        trusted_origins=asked_origins if is_on("ASKED_ORIGINS") else listed("TRUSTED_ORIGINS"),
        on_api_error=OnApiError(
            error_url=ENVIRONMENT.get("ERROR_URL"), on_error=on_error if "ON_API_ERROR" in ENVIRONMENT else None
        ),
        email_and_password=email_and_password(),
        email_verification=email_verification(),
        user=user(),
        session=SessionOptions(
            **names("session"),
            cookie_cache=cookie_cache(),
            disable_session_refresh=is_on("DISABLE_SESSION_REFRESH"),
            defer_session_refresh=is_on("DEFER_SESSION_REFRESH"),
            store_session_in_database=is_on("STORE_SESSION_IN_DB"),
            preserve_session_in_database=is_on("PRESERVE_SESSION_IN_DB"),
            **seconds(expires_in="EXPIRES_IN", update_age="UPDATE_AGE", fresh_age="FRESH_AGE"),
        ),
        verification=verification(),
        account=AccountOptions(
            **names("account"),
            account_linking=AccountLinking(allow_unlinking_all=is_on("ALLOW_UNLINKING_ALL")),
            encrypt_oauth_tokens=is_on("ENCRYPT_OAUTH_TOKENS"),
            store_account_cookie=is_on("STORE_ACCOUNT_COOKIE"),
        ),
        additional_fields=further(),
        rate_limit=RateLimitOptions(
            **names("rate_limit"), enabled=ENVIRONMENT.get("RATE_LIMIT") == "1", storage=storage
        ),
        disabled_paths=listed("DISABLED_PATHS"),
        advanced=advanced(),
        plugins=[PLUGINS[each]() for each in listed("PLUGINS")],
    )


class Controlled:
    """The application, and what the harness asks of it under paths of their own.

    `/__outbox` has the mails since somebody asked, when every answer has finished its work; `/__tables` makes the
    tables that are missing; what only server code calls is at `/__api`, by upstream's names.
    """

    def __init__(self, auth: Auth[AnyApi]) -> None:
        self._auth = auth
        self._application: Any = asgi.app(auth)
        self._at_work = 0
        self._idle = anyio.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == "/__outbox":
            await self._show(send)
            return
        if path == "/__tables":
            await self._auth.create_schema()
            await _send(send, b"null")
            return
        if path.startswith("/__api/"):
            await self._call(path.rpartition("/")[2], (await receive())["body"], send)
            return
        self._at_work += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._at_work -= 1
            async with self._idle:
                self._idle.notify_all()

    async def _show(self, send: Any) -> None:
        async with self._idle:
            # The lifespan never ends while the server runs.
            while self._at_work > 1:
                await self._idle.wait()
        mails = list(OUTBOX)
        OUTBOX.clear()
        await _send(send, json.dumps(mails).encode())

    async def _call(self, name: str, body: bytes, send: Any) -> None:
        try:
            reply = (await CALLS[name](self._auth, json.loads(body))).to_json()
        except (PorticoError, TypeError, ValidationError):
            reply = b'{"refused":true}'
        await _send(send, reply)


async def _send(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    """Makes the tables first and says when it listens."""

    def __init__(self, auth: Auth[AnyApi]) -> None:
        # The harness plays the proxy, so uvicorn itself must leave the forwarded address alone.
        port = int(ENVIRONMENT["PORT"])
        super().__init__(
            uvicorn.Config(Controlled(auth), port=port, log_level="error", access_log=False, proxy_headers=False)
        )
        self.auth = auth

    async def startup(self, sockets: Any = None) -> None:
        await self.auth.create_schema()
        await super().startup(sockets)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Server(make()).run()
