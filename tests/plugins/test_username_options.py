"""What an application says about usernames: what they may be, how they are stored, and whether they change."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import portico
from app import CHEAP, ORIGIN, content, plain, signed_up
from portico import Auth, ConfigError, CookieCacheOptions, EmailAndPassword, Headers, Request, SessionOptions
from portico.openapi import document
from portico.plugins.bearer import Bearer
from portico.plugins.username import Username, UsernameUser, ValidationOrder
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("B-83", "S-202")]

PASSWORD = "password123"
AFTERWARDS = ValidationOrder(username="post-normalization", display_username="post-normalization")


def place(**options: Any) -> Auth[Any]:
    return plain(Username(**options), clock=Clock())


def takes_all(name: str) -> bool:
    return True


def takes_none(name: str) -> bool:
    return False


def is_not_root(name: str) -> bool:
    return name != "root"


def without_spaces(name: str) -> str:
    return name.replace(" ", "").lower()


async def asked(auth: Auth[Any], path: str, body: dict[str, Any], browser: Browser | None = None) -> tuple[int, Any]:
    """Return the status of a call and the code of its refusal."""
    response = await (browser or Browser(auth, ORIGIN)).post(path, body)
    return response.status, content(response).get("code")


async def joined(auth: Auth[Any], email: str = "ann@example.com", **names: Any) -> tuple[int, Any]:
    return await asked(auth, "/sign-up/email", {"name": "Ann", "email": email, "password": PASSWORD, **names})


async def entered(auth: Auth[Any], username: str) -> tuple[int, Any]:
    """Sign in and return the status, and who it is or the code of the refusal."""
    response = await Browser(auth, ORIGIN).post("/sign-in/username", {"username": username, "password": PASSWORD})
    reply = content(response)
    return response.status, reply["user"]["email"] if response.status == 200 else reply["code"]


async def names_of(browser: Browser) -> tuple[Any, Any]:
    user = content(await browser.get("/get-session"))["user"]
    return user["username"], user.get("displayUsername")


async def refused_everywhere(auth: Auth[Any], username: str, code: str) -> None:
    """Require that nobody may be called so, at any door."""
    browser = await signed_up(auth, "bob@example.com", username="bob99")
    before = await names_of(browser)
    assert await joined(auth, username=username) == (400, code)
    assert await asked(auth, "/update-user", {"username": username}, browser) == (400, code)
    assert await asked(auth, "/is-username-available", {"username": username}) == (422, code)
    assert await entered(auth, username) == (422, code)
    assert await names_of(browser) == before
    assert [user.email for user in await auth.users.find_many(auth.context(None))] == ["bob@example.com"]


async def free(auth: Auth[Any], username: str) -> Any:
    return content(await Browser(auth, ORIGIN).post("/is-username-available", {"username": username}))


@pytest.mark.parametrize(
    ("username", "code"),
    [("abcd", "USERNAME_TOO_SHORT"), ("a" * 9, "USERNAME_TOO_LONG"), ("😀" * 5, "USERNAME_TOO_LONG")],
)
async def test_a_username_is_as_long_as_the_options_say(username: str, code: str) -> None:
    await refused_everywhere(place(min_length=5, max_length=8, username_validator=takes_all), username, code)


@pytest.mark.parametrize("username", ["abcde", "a" * 8, "😀" * 4, "日本語日本語"])
async def test_a_username_of_these_lengths_is_taken(username: str) -> None:
    auth = place(min_length=5, max_length=8, username_validator=takes_all)
    assert await joined(auth, username=username) == (200, None)
    assert await entered(auth, username) == (200, "ann@example.com")
    assert await free(auth, username) == {"available": False}


@pytest.mark.parametrize("lengths", [(0, 30), (-1, 30), (31, 30), (3, 256), (3, 2)])
async def test_lengths_that_fit_no_name_are_a_mistake(lengths: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"numbers of characters from 1 to 255"):
        place(min_length=lengths[0], max_length=lengths[1])


def is_no_admin_at_once(name: str) -> bool:
    return "admin" not in name.lower()


async def is_no_admin(name: str) -> bool:
    return "admin" not in name.lower()


@pytest.mark.parametrize("validator", [is_no_admin, is_no_admin_at_once], ids=["async", "sync"])
async def test_the_application_says_what_a_username_may_be(validator: Callable[[str], Any]) -> None:
    await refused_everywhere(place(username_validator=validator), "The Admin", "INVALID_USERNAME")
    auth = place(username_validator=validator)
    browser = await signed_up(auth, username="Ünï cödé!")
    assert await names_of(browser) == ("ünï cödé!", "Ünï cödé!")
    assert await entered(auth, "ÜNÏ CÖDÉ!") == (200, "ann@example.com")


async def test_without_normalization_names_in_other_letters_are_other_users() -> None:
    auth = place(username_normalization=False)
    ann = await signed_up(auth, username="Ann")
    await signed_up(auth, "bob@example.com", username="ann")
    assert await names_of(ann) == ("Ann", "Ann")
    assert await entered(auth, "Ann") == (200, "ann@example.com")
    assert await entered(auth, "ann") == (200, "bob@example.com")
    assert await entered(auth, "ANN") == (401, "INVALID_USERNAME_OR_PASSWORD")
    assert [await free(auth, each) for each in ("Ann", "ANN")] == [{"available": False}, {"available": True}]
    assert await asked(auth, "/update-user", {"username": "ann"}, ann) == (400, "USERNAME_IS_ALREADY_TAKEN")
    assert await names_of(ann) == ("Ann", "Ann")


async def test_all_spellings_that_are_stored_as_one_are_one_username() -> None:
    auth = place(username_normalization=without_spaces, username_validator=takes_all)
    browser = await signed_up(auth, username="A nn")
    assert await names_of(browser) == ("ann", "A nn")
    assert await joined(auth, "bob@example.com", username="An N") == (400, "USERNAME_IS_ALREADY_TAKEN")
    assert await free(auth, "a n n") == {"available": False}
    assert await entered(auth, " ANN ") == (200, "ann@example.com")
    assert await asked(auth, "/update-user", {"username": " a NN"}, browser) == (200, None)
    assert await names_of(browser) == ("ann", "A nn")


@pytest.mark.parametrize(
    ("username", "before", "after"),
    [
        ("A n n", (400, "INVALID_USERNAME"), (200, None)),
        ("a  ", (400, "INVALID_USERNAME"), (400, "USERNAME_TOO_SHORT")),
        ("a" + " " * 30 + "nn", (400, "USERNAME_TOO_LONG"), (200, None)),
    ],
)
async def test_a_username_is_validated_as_it_was_sent_or_as_it_is_stored(
    username: str, before: tuple[int, Any], after: tuple[int, Any]
) -> None:
    assert await joined(place(username_normalization=without_spaces), username=username) == before
    auth = place(username_normalization=without_spaces, validation_order=AFTERWARDS)
    assert await joined(auth, username=username) == after
    assert await auth.store.count(auth.tables["user"]) == (after[0] == 200)


@pytest.mark.parametrize(
    ("order", "refused", "taken"),
    [(ValidationOrder(), ("root",), ("Ro ot", "ROOT")), (AFTERWARDS, ("root", "Ro ot", "ROOT"), ("Groot",))],
)
async def test_the_application_says_what_a_display_name_may_be(
    order: ValidationOrder, refused: Sequence[str], taken: Sequence[str]
) -> None:
    auth = place(
        display_username_validator=is_not_root,
        display_username_normalization=without_spaces,
        validation_order=order,
    )
    browser = await signed_up(auth, username="Ann")
    assert await names_of(browser) == ("ann", "ann")
    for shown in refused:
        assert await joined(auth, "bob@example.com", displayUsername=shown) == (400, "INVALID_DISPLAY_USERNAME")
        body = {"name": "Changed", "displayUsername": shown}
        assert await asked(auth, "/update-user", body, browser) == (400, "INVALID_DISPLAY_USERNAME")
        assert await names_of(browser) == ("ann", "ann")
    for shown in taken:
        assert await asked(auth, "/update-user", {"displayUsername": shown}, browser) == (200, None)
        assert await names_of(browser) == ("ann", without_spaces(shown))
    assert [(user.email, user.name) for user in await auth.users.find_many(auth.context(None))] == [
        ("ann@example.com", "Ann")
    ]


async def test_a_username_for_good_is_neither_changed_nor_given_away() -> None:
    auth = place(immutable_username=True)
    browser = await signed_up(auth, username="Ann")
    for username in ("Other", None):
        body = {"username": username, "name": "Changed"}
        assert await asked(auth, "/update-user", body, browser) == (400, "USERNAME_IS_IMMUTABLE")
    body = {"username": "ANN", "displayUsername": "The Ann"}
    assert await asked(auth, "/update-user", body, browser) == (200, None)
    assert await names_of(browser) == ("ann", "The Ann")
    assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"


@requirement("B-31")
@pytest.mark.parametrize("order", [(Username, Bearer), (Bearer, Username)], ids=["before Bearer", "after Bearer"])
async def test_it_stays_for_good_whatever_proves_the_session(order: tuple[type[Any], ...]) -> None:
    options: dict[type[Any], dict[str, Any]] = {Username: {"immutable_username": True}, Bearer: {}}
    auth = plain(*(kind(**options[kind]) for kind in order), clock=Clock())
    browser = await signed_up(auth, username="Ann")
    session = await auth.api.get_session(browser.headers)
    assert session is not None

    async def renamed(username: str) -> tuple[int, Any]:
        headers = Headers([("authorization", f"Bearer {session.session.token}"), ("content-type", "application/json")])
        body = json.dumps({"username": username}).encode()
        response = await auth.handler(Request(method="POST", path="/api/auth/update-user", headers=headers, body=body))
        return response.status, content(response).get("code")

    assert await renamed("other") == (400, "USERNAME_IS_IMMUTABLE")
    assert await renamed("ann") == (200, None)
    assert await names_of(browser) == ("ann", "Ann")


@requirement("S-159")
async def test_it_stays_for_good_where_sessions_are_stateless() -> None:
    clock = Clock()

    def process() -> Auth[Any]:
        return plain(Username(immutable_username=True), clock=clock, database=None)

    browser = await signed_up(process(), username="Ann")
    there = Browser(process(), ORIGIN, dict(browser.cookies))
    assert await asked(there.auth, "/update-user", {"username": "other"}, there) == (400, "USERNAME_IS_IMMUTABLE")
    assert await names_of(there) == ("ann", "Ann")


async def test_who_has_no_username_for_good_may_choose_one_once() -> None:
    auth = place(immutable_username=True)
    await signed_up(auth, "bob@example.com", username="bob")
    browser = await signed_up(auth)
    assert await asked(auth, "/update-user", {"username": None, "name": "Anna"}, browser) == (200, None)
    assert await asked(auth, "/update-user", {"username": "bob"}, browser) == (400, "USERNAME_IS_ALREADY_TAKEN")
    assert await asked(auth, "/update-user", {"username": "Ann"}, browser) == (200, None)
    assert await asked(auth, "/update-user", {"username": "Other"}, browser) == (400, "USERNAME_IS_IMMUTABLE")
    assert await names_of(browser) == ("ann", None)


async def test_a_username_for_good_is_kept_whatever_a_copy_of_the_session_remembers() -> None:
    cache = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
    auth = plain(Username(immutable_username=True), clock=Clock(), session=cache)
    browser = await signed_up(auth)
    older = Browser(auth, ORIGIN, dict(browser.cookies))
    assert await asked(auth, "/update-user", {"username": "Ann"}, browser) == (200, None)
    assert await names_of(older) == (None, None)
    assert await asked(auth, "/update-user", {"username": "Other"}, older) == (400, "USERNAME_IS_IMMUTABLE")


async def test_a_username_may_be_one_letter_or_fill_its_column() -> None:
    auth = place(min_length=1, max_length=255)
    for number, username in enumerate(("a", "b" * 255)):
        assert await joined(auth, f"{number}@example.com", username=username) == (200, None)
        assert await entered(auth, username) == (200, f"{number}@example.com")


@requirement("E02")
async def test_an_address_that_is_taken_is_answered_with_names_in_the_same_form() -> None:
    options = EmailAndPassword(enabled=True, password=CHEAP, require_email_verification=True)
    auth = plain(Username(display_username_normalization=str.upper), clock=Clock(), email_and_password=options)
    body = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD}
    shown = list[tuple[Any, Any]]()
    for username in ("Ann", "Eve"):
        response = await Browser(auth, ORIGIN).post("/sign-up/email", {**body, "username": username})
        user = content(response)["user"]
        shown.append((user["username"], user["displayUsername"]))
    assert shown == [("ann", "ANN"), ("eve", "EVE")]
    assert await auth.store.count(auth.tables["user"]) == 1


async def test_nobody_needs_to_have_a_display_name() -> None:
    auth = place(display_username=False, display_username_validator=takes_none)
    browser = await signed_up(auth, username="Ann", displayUsername="The Ann")
    user = content(await browser.get("/get-session"))["user"]
    assert (user["username"], "displayUsername" in user) == ("ann", False)
    assert "display_username" not in auth.tables["user"].fields
    refused = await browser.post("/update-user", {"displayUsername": "x"})
    assert (refused.status, content(refused)) == (400, {"message": "No fields to update"})
    schemas = document(auth)["components"]["schemas"]
    described = {name: "username" in schemas[name]["properties"] for name in ("SignUpEmail", "UpdateUser", "User")}
    assert described == {"SignUpEmail": True, "UpdateUser": True, "User": True}
    assert "displayUsername" not in str(schemas)
    assert "displayUsername" in str(document(place())["components"]["schemas"])


async def test_columns_that_the_options_leave_out_cannot_be_mixed_in() -> None:
    class User(portico.User, UsernameUser):
        """With a display name."""

    class Api(portico.Api[User, portico.Session]):
        username = Username[User](display_username=False)

    with pytest.raises(ConfigError, match="User has UsernameUser, but no plugin stores it"):
        Auth(secret="a secret for this test, used nowhere else", base_url=ORIGIN, api=Api)


@requirement("ARCH-provisioning")
async def test_the_applications_own_code_cannot_store_a_name_that_nobody_could_sign_in_with() -> None:
    auth = place(display_username_validator=is_not_root)
    ctx = auth.context(None)
    for names, code in (
        ({"username": "Ann B"}, "INVALID_USERNAME"),
        ({"username": ""}, "USERNAME_TOO_SHORT"),
        ({"username": "ann", "display_username": "root"}, "INVALID_DISPLAY_USERNAME"),
    ):
        with pytest.raises(portico.ApiError) as refused:
            await auth.users.create(ctx, email="ann@example.com", name="Ann", **names)
        assert (refused.value.error.status, refused.value.error.code) == (400, code)
    assert await auth.store.count(auth.tables["user"]) == 0
    ann = await auth.users.create(ctx, email="ann@example.com", name="Ann", username="Ann")
    bob = await auth.users.create(ctx, email="bob@example.com", name="Bob")
    assert _names(ann) == ("ann", "Ann")
    changed = await auth.users.update(ctx, {"id": ann.id}, username="ANN", display_username="The Ann")
    assert _names(changed) == ("ann", "The Ann")
    for username, code in (("aNN", "USERNAME_IS_ALREADY_TAKEN"), ("a b", "INVALID_USERNAME")):
        with pytest.raises(portico.ApiError) as refused:
            await auth.users.update(ctx, {"id": bob.id}, username=username)
        assert refused.value.error.code == code
    assert _names(await auth.users.find(ctx, id=bob.id)) == (None, None)


def _names(user: Any) -> tuple[Any, Any]:
    wire = user.to_wire()
    return wire["username"], wire["displayUsername"]
