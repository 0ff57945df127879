"""Never run: mistakes in calls of the generated client and their replies, each beside its right twin.

See `planted.py`.
"""

from typing import assert_never

from portico_client import (
    AsyncAuthClient,
    AuthClient,
    BearerAuth,
    RequestOptions,
    errors,
    models,
    two_factor_client,
    username_client,
)
from portico_client_runtime import AsyncResource, RawResponse

URL = "https://example.com"
client = AuthClient(URL)
waiting = AsyncAuthClient(URL)


class Invitations(AsyncResource):
    async def count(self) -> int:
        return int(await self._client.call("/invitations/count"))


def options() -> None:
    AuthClient(URL, base_pth="/auth")  # mistake: misspelt option
    AuthClient(URL, base_path="/auth")  # right: misspelt option
    AuthClient(URL, timeout="5s")  # mistake: wrong type of an option
    AuthClient(URL, timeout=5)  # right: wrong type of an option
    AuthClient(URL, auth="t")  # mistake: token in place of an authentication
    AuthClient(URL, auth=BearerAuth(token="t"))  # right: token in place of an authentication
    AuthClient(URL, plugins=["two-factor"])  # mistake: plugin by name
    AuthClient(URL, plugins=[two_factor_client()])  # right: plugin by name
    AuthClient(URL, plugins=[username_client])  # mistake: plugin that is not called
    AuthClient(URL, plugins=[username_client()])  # right: plugin that is not called
    client.sign_out(options={"timeout": 5})  # mistake: options of a call as a dict
    client.sign_out(options=RequestOptions(timeout=5))  # right: options of a call as a dict
    client.with_options(retries=3)  # mistake: misspelt option of a view
    client.with_options(max_retries=3)  # right: misspelt option of a view


def arguments() -> None:
    client.sign_in.email(email="a@b.c")  # mistake: missing field
    client.sign_in.email(email="a@b.c", password="p")  # right: missing field
    client.sign_in.email(email="a@b.c", password=1)  # mistake: wrong field type
    client.sign_in.email(email="a@b.c", password="p", remember_me=False)  # right: wrong field type
    client.sign_in.email(email="a@b.c", password="p", remember=True)  # mistake: misspelt field
    client.sign_in.email(email="a@b.c", password="p", remember_me=True)  # right: misspelt field
    client.sign_in.email(email="a@b.c", password="p", callbackURL="/")  # mistake: field by its name on the wire
    client.sign_in.email(email="a@b.c", password="p", callback_url="/")  # right: field by its name on the wire
    client.sign_in.email("a@b.c", "p")  # mistake: fields by position
    client.sign_in.username(username="a", password="p")  # right: fields by position
    client.sign_in.email(username="a", password="p")  # mistake: fields of another endpoint
    client.sign_up.email(name="A", email="a@b.c", password="p")  # right: fields of another endpoint
    client.two_factor.enable(password="p", method="sms")  # mistake: bad literal
    client.two_factor.enable(password="p", method="totp")  # right: bad literal
    client.update_user(name=None)  # mistake: null for a name
    client.update_user(image=None)  # right: null for a name
    client.get_session(disable_refresh=False)  # mistake: bad literal of a query
    client.get_session(disable_refresh=True)  # right: bad literal of a query


def endpoints() -> None:
    client.sign_in.emial(email="a@b.c", password="p")  # mistake: misspelt endpoint
    client.sign_in.email(email="a@b.c", password="p")  # right: misspelt endpoint
    client.sing_in.email(email="a@b.c", password="p")  # mistake: misspelt group
    client.sign_up.email(name="A", email="a@b.c", password="p")  # right: misspelt group
    client.organization.create(name="Acme")  # mistake: plugin that the client does not know
    client.two_factor.disable(password="p")  # right: plugin that the client does not know
    client.sign_in(email="a@b.c", password="p")  # mistake: group that is called
    client.is_username_available(username="a")  # right: group that is called


def replies() -> None:
    found = client.get_session()
    use(found.user)  # mistake: forgotten None
    if found is None:
        return
    use(found.user)  # right: forgotten None
    use(found.usr)  # mistake: wrong reply field
    use(found.session)  # right: wrong reply field
    use(found.session.userId)  # mistake: reply field by its name on the wire
    use(found.session.user_id)  # right: reply field by its name on the wire
    use(found.user.username.upper())  # mistake: column of a plugin that may be missing
    use(found.user.name.upper())  # right: column of a plugin that may be missing
    use(client.sign_out().status)  # mistake: wrong field of a plain reply
    use(client.sign_out().success)  # right: wrong field of a plain reply
    numbers: list[int] = [each.token for each in client.list_sessions()]  # mistake: wrong type of a reply
    tokens: list[str] = [each.token for each in client.list_sessions()]  # right: wrong type of a reply
    use((numbers, tokens))


def challenges() -> None:
    reply = client.sign_in.email(email="a@b.c", password="p")
    use(reply.token)  # mistake: challenge not narrowed
    match reply:
        case models.SignedIn(user=user, token=token):
            use(token.upper())  # right: challenge not narrowed
            use(user.nickname)  # mistake: wrong field of a narrowed reply
            use(user.name)  # right: wrong field of a narrowed reply
        case models.TwoFactorRequired(two_factor_methods=methods):
            methods.append("sms")  # mistake: bad literal of a reply
            methods.append("totp")  # right: bad literal of a reply
    match reply:
        case models.SignedIn():
            use(reply.user)
        case _:
            assert_never(reply)  # mistake: challenge forgotten in a match


def all_challenges() -> None:
    reply = client.sign_in.email(email="a@b.c", password="p")
    match reply:
        case models.SignedIn():
            use(reply.user)
        case models.TwoFactorRequired():
            use(reply.two_factor_methods)
        case _:
            assert_never(reply)  # right: challenge forgotten in a match


def refusals() -> None:
    try:
        client.two_factor.verify_totp(code="0")
    except errors.Unauthorised:  # mistake: misspelt error
        return
    except errors.RateLimited as limited:  # right: misspelt error
        use(limited.retry_after + 1)  # mistake: forgotten None of an error
        use((limited.retry_after or 0) + 1)  # right: forgotten None of an error
    except errors.Unauthorized as refused:
        use(refused.code == "INVALID_CODES")  # mistake: bad literal of a code
        use(refused.code == "INVALID_CODE")  # right: bad literal of a code
        use(refused.reason)  # mistake: wrong field of an error
        use(refused.message)  # right: wrong field of an error


def around() -> None:
    raw = client.with_raw_response(client.is_username_available)(username="a")  # right: raw call without a field
    client.with_raw_response(client.is_username_available)()  # mistake: raw call without a field
    use(raw.value.available)  # right: raw reply that is no reply
    use(raw.available)  # mistake: raw reply that is no reply
    status: RawResponse[models.Status] = client.with_raw_response(client.sign_out)()  # mistake: raw reply of another
    success: RawResponse[models.Success] = client.with_raw_response(client.sign_out)()  # right: raw reply of another
    use((status, success))
    known = client.session.get()
    use(known.user)  # mistake: forgotten None of the session
    use(known and known.user)  # right: forgotten None of the session
    use(client.session.state.data.user)  # mistake: forgotten None of the state
    use(client.session.state.error)  # right: forgotten None of the state


async def awaiting() -> None:
    use(waiting.get_session().user)  # mistake: forgotten await
    use(await waiting.get_session())  # right: forgotten await
    use(await client.get_session())  # mistake: await of the sync client
    use(await waiting.list_sessions())  # right: await of the sync client
    use(await waiting.two_factor.verify_totp(code=0))  # mistake: wrong field type of the async client
    use(await waiting.two_factor.verify_totp(code="0"))  # right: wrong field type of the async client
    use(await waiting.plugin(Invitations).size())  # mistake: misspelt endpoint of an own resource
    use(await waiting.plugin(Invitations).count())  # right: misspelt endpoint of an own resource
    client.plugin(Invitations)  # mistake: async resource in the sync client
    waiting.plugin(Invitations)  # right: async resource in the sync client
    async with waiting:  # right: sync context of the async client
        use(waiting)
    with waiting:  # mistake: sync context of the async client
        use(waiting)


def use(_value: object) -> None: ...
