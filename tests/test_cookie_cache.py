import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from portico.cookie_cache import REMEMBERED, CachedSession, CookieCache, Strategy
from portico.crypto import base64url
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from requirements import requirement
from upstream import COOKIES, CRYPTO, ROTATED, SECRET, milliseconds

KEYRING = Keyring(SECRET)
STRATEGIES: tuple[Strategy, ...] = ("compact", "jwt", "jwe")
SESSION = {"token": "t", "userId": "u", "id": "s"}
USER = {"name": "Üser 🔐", "id": "u"}
NOW = 1_800_000_000_123
COMPACT: dict[str, Any] = COOKIES["cookie_cache_compact"]

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def sample_of(strategy: Strategy) -> tuple[str, dict[str, Any], int]:
    """Return upstream's value, what it holds, and when it goes stale."""
    sample = COOKIES[f"cookie_cache_{strategy}"]
    decoded = sample["decoded"]
    if strategy == "compact":
        return sample["value"], decoded["session"], decoded["expiresAt"]
    return sample["value"], decoded["payload"], decoded["payload"]["exp"] * 1000


def compact(text: str) -> str:
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def signed(payload: str) -> str:
    """Return a compact value whose signature is right, whatever it says; `payload` ends with expiresAt."""
    inner, _, expires = payload.rpartition(',"expiresAt":')
    tag = Signer(KEYRING).tag(payload.encode())
    return compact(f'{{"session":{inner}}},"expiresAt":{expires[:-1]},"signature":"{tag}"}}')


# Upstream's samples


@requirement("S-161", "B-38")
@every_strategy
def test_upstreams_cookie_can_be_read(strategy: Strategy) -> None:
    value, held, expires_at = sample_of(strategy)
    assert CookieCache(strategy, KEYRING).decode(value, held["updatedAt"]) == CachedSession(
        session=held["session"],
        user=held["user"],
        updated_at=held["updatedAt"],
        version="1",
        expires_at=expires_at,
    )


@requirement("S-161", "B-38")
@pytest.mark.parametrize("strategy", ["compact", "jwt"])
def test_our_cookie_is_upstreams_letter_for_letter(strategy: Strategy) -> None:
    value, held, _ = sample_of(strategy)
    assert CookieCache(strategy, KEYRING).encode(held["session"], held["user"], held["updatedAt"], "1") == value


@requirement("S-161")
@pytest.mark.parametrize("sample", ["compact_control_characters", "compact_numbers"])
def test_difficult_text_and_numbers_are_written_as_upstream_writes_them(sample: str) -> None:
    value = COOKIES["observed"][sample]
    cache = CookieCache("compact", KEYRING)
    held = cache.decode(value, milliseconds(COOKIES["observed"]["capturedAt"]))
    assert held is not None
    assert cache.encode(held.session, held.user, held.updated_at, held.version) == value


@requirement("S-161")
def test_a_whole_number_is_written_as_an_integer_because_javascript_has_no_other() -> None:
    cache = CookieCache("compact", KEYRING)
    assert cache.encode({}, {"score": 5.0}, NOW, "1") == cache.encode({}, {"score": 5}, NOW, "1")


@requirement("S-161")
def test_an_encrypted_cookie_has_upstreams_claims_in_their_order() -> None:
    value, held, _ = sample_of("jwe")
    made = CookieCache("jwe", KEYRING).encode(held["session"], held["user"], held["updatedAt"], "1")
    assert made.partition(".")[0] == value.partition(".")[0]
    # An initialization vector and whole blocks of a text of the same length.
    assert [len(part) for part in made.split(".")] == [len(part) for part in value.split(".")]


@requirement("B-59", "J02")
@every_strategy
def test_what_upstream_wrote_while_rotating_can_be_read_with_the_right_secrets_only(strategy: Strategy) -> None:
    rotation = CRYPTO["rotation"]
    value, now = rotation[f"{strategy}_rotation"], milliseconds(rotation["capturedAt"])
    # Upstream signs a JWT cookie with the current secret, too.
    assert CookieCache(strategy, Keyring(None, ROTATED)).decode(value, now) is not None
    assert CookieCache(strategy, KEYRING).decode(value, now) is None


@requirement("ARCH-rotation", "J02")
@every_strategy
def test_a_cookie_of_an_older_secret_is_still_read(strategy: Strategy) -> None:
    old = CookieCache(strategy, KEYRING)
    rotated = CookieCache(strategy, Keyring(SECRET, [(2, "new")]))
    held = CachedSession(session=SESSION, user=USER, updated_at=NOW, version="1", expires_at=NOW + 300_000)
    decoded = rotated.decode(old.encode(SESSION, USER, NOW, "1"), NOW)
    assert decoded is not None
    assert replace(decoded, expires_at=held.expires_at) == held
    assert old.decode(rotated.encode(SESSION, USER, NOW, "1"), NOW) is None


# Reading


@requirement("S-162")
@every_strategy
def test_what_was_written_comes_back(strategy: Strategy) -> None:
    cache = CookieCache(strategy, KEYRING, 60)
    decoded = cache.decode(cache.encode(SESSION, USER, NOW, "v7"), NOW)
    whole_seconds = NOW // 1000 * 1000
    assert decoded == CachedSession(
        session=SESSION,
        user=USER,
        updated_at=NOW,
        version="v7",
        expires_at=(NOW if strategy == "compact" else whole_seconds) + 60_000,
    )


@requirement("S-161")
def test_more_copies_than_are_remembered_are_read_as_well() -> None:
    cache = CookieCache("compact", KEYRING)
    values = [
        cache.encode({**SESSION, "id": str(number)}, USER, NOW, "1", remember=True) for number in range(REMEMBERED + 2)
    ]
    for number in (*range(len(values)), 0, len(values) - 1):
        held = cache.decode(values[number], NOW)
        assert held is not None
        assert held.session["id"] == str(number)


@requirement("S-162")
@pytest.mark.parametrize(("strategy", "tolerance"), [("compact", 0), ("jwt", 0), ("jwe", 15_000)])
def test_a_cookie_goes_stale_after_its_lifetime(strategy: Strategy, tolerance: int) -> None:
    cache = CookieCache(strategy, KEYRING, 60)
    start = NOW // 1000 * 1000
    value = cache.encode(SESSION, USER, start, "1")
    assert cache.decode(value, start + 60_000 + tolerance - 1) is not None
    assert cache.decode(value, start + 60_000 + tolerance) is None


@requirement("B-38", "S07", "I01")
@every_strategy
@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "....",
        "x",
        "ü",
        "\ud800",
        "\0",
        "e30",
        "W10",
        "bnVsbA",
        "A" * 20_000,
        "." * 20_000,
        "==",
        "%7B%7D",
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_garbage_is_no_session(strategy: Strategy, value: str) -> None:
    assert CookieCache(strategy, KEYRING).decode(value, NOW) is None


@requirement("B-38", "S02")
@every_strategy
def test_a_change_of_any_letter_is_noticed(strategy: Strategy) -> None:
    cache = CookieCache(strategy, KEYRING)
    value = cache.encode(SESSION, USER, NOW, "1")
    for position, letter in enumerate(value):
        changed = value[:position] + ("A" if letter != "A" else "B") + value[position + 1 :]
        # The last letter of a text holds bits that stand for nothing.
        assert cache.decode(changed, NOW) is None or base64_of(changed) == base64_of(value)


def base64_of(value: str) -> list[bytes]:
    return [base64url.decode(part) for part in value.split(".")]


@requirement("E12")
@every_strategy
def test_a_cookie_of_one_strategy_is_nothing_to_another(strategy: Strategy) -> None:
    value = CookieCache(strategy, KEYRING).encode(SESSION, USER, NOW, "1")
    for other in STRATEGIES:
        assert (CookieCache(other, KEYRING).decode(value, NOW) is not None) == (other == strategy)


@requirement("B-38")
@pytest.mark.parametrize(
    "payload",
    [
        '{"session":{},"user":{},"updatedAt":1,"version":"1","expiresAt":"9999999999999"}',
        '{"session":{},"user":{},"updatedAt":1,"version":"1","expiresAt":true}',
        '{"session":{},"user":{},"updatedAt":1,"version":"1","expiresAt":99999999999999.5}',
        '{"session":{},"user":{},"updatedAt":1,"version":1,"expiresAt":9999999999999}',
        '{"session":{},"user":{},"updatedAt":"1","version":"1","expiresAt":9999999999999}',
        '{"session":{},"user":[],"updatedAt":1,"version":"1","expiresAt":9999999999999}',
        '{"session":null,"user":{},"updatedAt":1,"version":"1","expiresAt":9999999999999}',
        '{"user":{},"updatedAt":1,"version":"1","expiresAt":9999999999999}',
        '{"expiresAt":9999999999999}',
        '{no json,"expiresAt":9999999999999}',
    ],
)
def test_genuine_text_of_another_shape_is_no_session(payload: str) -> None:
    assert CookieCache("compact", KEYRING).decode(signed(payload), NOW) is None


@requirement("B-38")
def test_genuine_text_of_the_right_shape_is_a_session() -> None:
    payload = '{"session":{},"user":{},"updatedAt":1,"version":"1","expiresAt":9999999999999}'
    assert CookieCache("compact", KEYRING).decode(signed(payload), NOW) == CachedSession(
        session={}, user={}, updated_at=1, version="1", expires_at=9999999999999
    )


# Another implementation may lay the same JSON out otherwise.
@requirement("S-161")
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("names", [("signature", "expiresAt", "session"), ("expiresAt", "session", "signature")])
def test_the_same_claims_in_another_layout_are_read(indent: int | None, names: tuple[str, ...]) -> None:
    decoded = COMPACT["decoded"]
    text = json.dumps({name: decoded[name] for name in names}, indent=indent)
    held = CookieCache("compact", KEYRING).decode(compact(text), decoded["session"]["updatedAt"])
    assert held is not None
    assert (held.session, held.user) == (decoded["session"]["session"], decoded["session"]["user"])


@requirement("B-38", "S02")
@pytest.mark.parametrize("indent", [None, 1])
def test_changed_claims_are_noticed_in_any_layout(indent: int | None) -> None:
    decoded = json.loads(json.dumps(COMPACT["decoded"]))
    decoded["session"]["user"]["email"] = "evil@example.com"
    separators = (",", ":") if indent is None else None
    text = json.dumps(decoded, indent=indent, separators=separators, ensure_ascii=False)
    assert CookieCache("compact", KEYRING).decode(compact(text), decoded["session"]["updatedAt"]) is None


@requirement("B-38", "S02")
@pytest.mark.parametrize(
    "changed", [("expiresAt", 9999999999999), ("signature", ""), ("signature", None), ("session", [])]
)
def test_a_changed_envelope_is_noticed(changed: tuple[str, Any]) -> None:
    decoded = COMPACT["decoded"] | dict([changed])
    text = json.dumps(decoded, separators=(",", ":"), ensure_ascii=False)
    assert CookieCache("compact", KEYRING).decode(compact(text), COMPACT["decoded"]["session"]["updatedAt"]) is None


@requirement("I01")
def test_text_in_any_field_survives() -> None:
    user = {"name": '","signature":"x"}', "image": ',"expiresAt":1', "bio": "\u2028\0\x7f\ud800"}
    for strategy in STRATEGIES:
        cache = CookieCache(strategy, KEYRING)
        held = cache.decode(cache.encode(SESSION, user, NOW, "1"), NOW)
        assert held is not None
        assert held.user == user
