from collections.abc import Callable

import pytest

from portico.crypto.keyring import Keyring, purpose_key
from portico.errors import ConfigError
from requirements import requirement
from upstream import CRYPTO, SECRET

PURPOSES: dict[str, str] = CRYPTO["purpose_keys"]["samples"]


@requirement("B-59")
def test_one_secret_signs_encrypts_and_is_accepted_and_has_no_version() -> None:
    keyring = Keyring("one")
    assert (keyring.current, keyring.accepted, keyring.encryption_version) == ("one", ("one",), None)
    assert (keyring.legacy, keyring.by_version(0)) == ("one", None)


@requirement("B-59", "J02")
def test_the_first_of_several_secrets_is_current_and_all_are_accepted_once() -> None:
    keyring = Keyring("old", [(2, "new"), (1, "old"), (0, "older")])
    assert (keyring.current, keyring.accepted, keyring.encryption_version) == ("new", ("new", "old", "older"), 2)
    assert (keyring.legacy, keyring.by_version(1), keyring.by_version(7)) == ("old", "old", None)


@requirement("B-59")
def test_a_keyring_is_read_from_the_environments_form() -> None:
    assert Keyring.parse("2:new, 1:o:ld") == Keyring(None, [(2, "new"), (1, "o:ld")])
    assert Keyring.parse("2:new", "before").accepted == ("new", "before")


@requirement("B-59")
@pytest.mark.parametrize(
    "make",
    [
        Keyring,
        lambda: Keyring(""),
        lambda: Keyring("secret\ud800"),
        lambda: Keyring("a", [(1, "")]),
        lambda: Keyring(None, [(1, "a"), (1, "b")]),
        lambda: Keyring(None, [(-1, "a")]),
        lambda: Keyring.parse(""),
        lambda: Keyring.parse("hidden"),
        lambda: Keyring.parse("1:hidden,"),
        lambda: Keyring.parse("1:"),
        lambda: Keyring.parse("one:hidden"),
        lambda: Keyring.parse("-1:hidden"),
        lambda: Keyring.parse("+1:hidden"),
        lambda: Keyring.parse("1_0:hidden"),
        lambda: Keyring.parse("\u0661:hidden"),
        lambda: Keyring.parse("1:hidden,1:hidden"),
    ],
)
def test_secrets_that_cannot_work_are_refused_without_showing_them(make: Callable[[], Keyring]) -> None:
    with pytest.raises(ConfigError) as refusal:
        make()
    assert "hidden" not in str(refusal.value)


@requirement("B-59")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Keyring(""), "^secret is empty"),
        (lambda: Keyring("secret\ud800"), "^secret is not valid Unicode"),
        (lambda: Keyring("a", [(1, "b"), (2, "")]), "^secrets: version 2 is empty"),
        (lambda: Keyring(None, [(1, "a"), (1, "b")]), "^secrets: version 1 is listed twice"),
    ],
    ids=["empty", "no Unicode", "empty version", "twice"],
)
def test_the_secret_that_cannot_work_is_named(make: Callable[[], Keyring], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


@requirement("F08")
def test_a_keyring_does_not_show_its_secrets() -> None:
    assert "hidden" not in repr(Keyring("hidden", [(1, "hidden too")]))


@requirement("B-60")
@pytest.mark.parametrize(("purpose", "key"), PURPOSES.items())
def test_the_key_of_a_purpose_is_upstreams(purpose: str, key: str) -> None:
    assert purpose_key(SECRET, purpose) == key
    assert Keyring(SECRET).for_purpose(purpose) == Keyring(key)


@requirement("B-60")
def test_the_keyring_of_a_purpose_keeps_the_versions() -> None:
    derived = Keyring("old", [(2, "new")]).for_purpose("p")
    assert derived == Keyring(purpose_key("old", "p"), [(2, purpose_key("new", "p"))])
