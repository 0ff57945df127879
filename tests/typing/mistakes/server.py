"""Never run: mistakes in options, server calls and their replies, each beside its right twin. See `planted.py`."""

from typing import Annotated, assert_never

from fastapi import Depends, FastAPI

import portico
from portico import (
    AdvancedOptions,
    Auth,
    Challenge,
    Column,
    CookieCacheOptions,
    EmailAndPassword,
    SignedIn,
)
from portico.endpoints.session import RevokeSession
from portico.endpoints.sign_in import SignInEmail
from portico.endpoints.sign_up import SignUpEmail
from portico.endpoints.user import UpdateUser
from portico.hosts.fastapi import current_session, mount, optional_session
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import EnableTwoFactor, TwoFactor, TwoFactorRequired, TwoFactorUser, VerifyTotp
from portico.plugins.username import Username


class User(portico.User, TwoFactorUser):
    nickname: Annotated[str | None, Column(input=True)] = None


class Api(portico.Api[User, portico.Session]):
    two_factor = TwoFactor[User](issuer="Acme")  # right: misspelt option of a plugin
    bearer = Bearer()


class OtherApi(portico.Api[User, portico.Session]):
    two_factor = TwoFactor[User](isuer="Acme")  # mistake: misspelt option of a plugin


class Person(portico.Row):
    name: str


class NoUserApi(portico.Api[Person, portico.Session]): ...  # mistake: row that is no user


class UserApi(portico.Api[User, portico.Session]): ...  # right: row that is no user


URL = "https://example.com"
auth = Auth(base_url=URL, api=Api)  # right: Api that is not Portico's
plain = Auth(base_url=URL)
listed = Auth(base_url=URL, plugins=[TwoFactor(), Username()])  # right: plugin that is a class
headers = {"cookie": "better-auth.session_token=t"}


def options() -> None:
    Auth(base_url=URL, api=User)  # mistake: Api that is not Portico's
    Auth(base_url=URL, plugins=[TwoFactor])  # mistake: plugin that is a class
    Auth(base_url=URL, plugins=["two-factor"])  # mistake: plugin by name
    Auth(base_url=URL, plugins=[Bearer()])  # right: plugin by name
    Auth(base_url=URL, api=Api, plugins=[Bearer()])  # mistake: plugins in both forms
    Auth(base_url=URL, api=Api)  # right: plugins in both forms
    Auth(base_urls=URL, api=Api)  # mistake: misspelt option
    Auth(base_path="/auth", api=Api)  # right: misspelt option
    Auth(base_url=URL, email_and_password=True)  # mistake: wrong type of an option
    Auth(base_url=URL, email_and_password=EmailAndPassword(enabled=True))  # right: wrong type of an option
    EmailAndPassword(enable=True)  # mistake: misspelt field of an option
    EmailAndPassword(enabled=True)  # right: misspelt field of an option
    CookieCacheOptions(strategy="jws")  # mistake: bad literal of an option
    CookieCacheOptions(strategy="jwe")  # right: bad literal of an option
    AdvancedOptions(trusted_proxies=8)  # mistake: number of proxies
    AdvancedOptions(trusted_proxies=["10.0.0.0/8"])  # right: number of proxies


async def bodies() -> None:
    await auth.api.sign_in_email(None, SignUpEmail(name="n", email="a@b.c", password="p"))  # mistake: wrong body model
    await auth.api.sign_in_email(None, SignInEmail(email="a@b.c", password="p"))  # right: wrong body model
    await auth.api.revoke_session(headers)  # mistake: missing body
    await auth.api.revoke_session(headers, RevokeSession(token="t"))  # right: missing body
    await auth.api.revoke_session(headers, {"token": "t"})  # mistake: body as a dict
    await auth.api.revoke_session(headers, body=RevokeSession(token="t"))  # right: body as a dict
    await auth.api.list_sessions(headers, RevokeSession(token="t"))  # mistake: body of an endpoint that has none
    await auth.api.list_sessions(headers)  # right: body of an endpoint that has none
    SignInEmail(email="a@b.c", password=1)  # mistake: wrong field type
    SignInEmail(email="a@b.c", password="1")  # right: wrong field type
    SignInEmail(email="a@b.c")  # mistake: missing field
    SignUpEmail(name="n", email="a@b.c", password="p")  # right: missing field
    SignInEmail(email="a@b.c", pasword="p", password="p")  # mistake: misspelt field
    SignInEmail(email="a@b.c", remember_me=True, password="p")  # right: misspelt field
    SignInEmail(email="a@b.c", password="p", rememberMe=True)  # mistake: field by its name on the wire
    SignInEmail(email="a@b.c", password="p", callback_url="/")  # right: field by its name on the wire
    EnableTwoFactor(password="p", method="sms")  # mistake: bad literal
    EnableTwoFactor(password="p", method="totp")  # right: bad literal
    UpdateUser(image=b"")  # mistake: bytes for a text that may be null
    UpdateUser(name="n", image=None)  # right: bytes for a text that may be null


async def callers() -> None:
    await auth.api.get_session()  # mistake: missing caller
    await auth.api.get_session(None)  # right: missing caller
    await auth.api.get_session("better-auth.session_token=t")  # mistake: caller as text
    await auth.api.get_session(headers)  # right: caller as text
    await auth.api.revoke_session(RevokeSession(token="t"))  # mistake: body in place of the caller
    await auth.api.revoke_session(auth.context(headers), RevokeSession(token="t"))  # right: body in place of the caller
    auth.run(auth.api.get_session(headers))  # mistake: coroutine in place of a function
    auth.run(auth.api.get_session, headers)  # right: coroutine in place of a function
    auth.run(auth.api.sign_in_email, None, RevokeSession(token="t"))  # mistake: body of another call, from sync code
    auth.run(
        auth.api.sign_in_email, None, SignInEmail(email="a@b.c", password="p")
    )  # right: body of another call, from sync code
    auth.run(auth.api.get_session)  # mistake: missing caller, from sync code
    auth.run(auth.api.get_session, None)  # right: missing caller, from sync code


async def endpoints() -> None:
    await auth.api.sing_in_email(None, SignInEmail(email="a@b.c", password="p"))  # mistake: misspelt endpoint
    await auth.api.sign_in_email(None, SignInEmail(email="a@b.c", password="p"))  # right: misspelt endpoint
    await auth.api.two_factor.verify(headers, VerifyTotp(code="0"))  # mistake: misspelt endpoint of a plugin
    await auth.api.two_factor.verify_totp(headers, VerifyTotp(code="0"))  # right: misspelt endpoint of a plugin
    await plain.api.two_factor.verify_totp(headers, VerifyTotp(code="0"))  # mistake: plugin not installed
    await listed.api.two_factor.verify_totp(headers, VerifyTotp(code="0"))  # right: plugin not installed
    await auth.api.two_factor.enable(headers, VerifyTotp(code="0"))  # mistake: wrong body model of a plugin
    await auth.api.two_factor.enable(headers, EnableTwoFactor(password="p"))  # right: wrong body model of a plugin
    await TwoFactor.of(auth.api).enable(headers, EnableTwoFactor(password="p"))  # mistake: plugin of something else
    await TwoFactor.of(auth).enable(headers, EnableTwoFactor(password="p"))  # right: plugin of something else
    await listed.api.revoke_session(headers, VerifyTotp(code="0"))  # mistake: wrong body model in the listed form
    await listed.api.revoke_session(headers, RevokeSession(token="t"))  # right: wrong body model in the listed form


async def replies() -> None:
    session = await auth.api.get_session(headers)
    use(session.user)  # mistake: forgotten None
    if session is None:
        return
    use(session.user)  # right: forgotten None
    use(session.usr)  # mistake: wrong reply field
    use(session.session.user_id)  # right: wrong reply field
    use(session.user.nickanme)  # mistake: misspelt own column
    use(session.user.nickname)  # right: misspelt own column
    use(session.user.nickname.upper())  # mistake: own column that may be null
    use(session.user.name.upper())  # right: own column that may be null
    use(session.user.username)  # mistake: column of a plugin that is not mixed in
    use(session.user.two_factor_enabled)  # right: column of a plugin that is not mixed in
    use((await auth.api.revoke_sessions(headers)).success)  # mistake: wrong field of a plain reply
    use((await auth.api.revoke_sessions(headers)).status)  # right: wrong field of a plain reply
    use(auth.api.get_session(headers).user)  # mistake: forgotten await
    use(await auth.api.get_session(headers))  # right: forgotten await
    names: list[int] = [each.token for each in await auth.api.list_sessions(headers)]  # mistake: wrong type of a reply
    tokens: list[str] = [each.token for each in await auth.api.list_sessions(headers)]  # right: wrong type of a reply
    use((names, tokens))
    default = await plain.api.get_session(headers)
    use(default and default.user.nickname)  # mistake: own column on another Auth
    use(default and default.user.name)  # right: own column on another Auth


async def challenges() -> None:
    reply = await auth.api.sign_in_email(None, SignInEmail(email="a@b.c", password="p"))
    use(reply.token)  # mistake: challenge not narrowed
    match reply:
        case SignedIn(user=user, token=token):
            use(token.upper())  # right: challenge not narrowed
            use(user.nickname)  # right: wrong field of a narrowed reply
            use(user.nick)  # mistake: wrong field of a narrowed reply
        case TwoFactorRequired(two_factor_methods=methods):
            methods.append("sms")  # mistake: bad literal of a reply
            methods.append("totp")  # right: bad literal of a reply
        case Challenge():
            use(reply)  # right: challenge forgotten in a match
    match reply:
        case SignedIn():
            use(reply.user)
        case _:
            assert_never(reply)  # mistake: challenge forgotten in a match


app = FastAPI()
mount(app, auth)  # right: wrong order of a mount
mount(auth, app)  # mistake: wrong order of a mount


async def dependencies() -> None:
    use((await current_session(auth)()).user.nickname)  # right: dependency on another user
    use((await current_session(plain)()).user.nickname)  # mistake: dependency on another user
    use((await optional_session(auth)()).user)  # mistake: optional session
    use(await optional_session(auth)())  # right: optional session
    current_session(auth.api)  # mistake: dependency on the API
    Depends(current_session(auth))  # right: dependency on the API


def use(_value: object) -> None: ...
