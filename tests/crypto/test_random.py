import re
from uuid import UUID

import pytest

from portico.crypto.random import Alphabet, random_digits, random_letters, random_url_safe, random_uuid
from requirements import requirement

pytestmark = requirement("B-15")


@pytest.mark.parametrize("length", [0, 1, 6, 20, 32, 128, 5000])
def test_random_text_has_the_length_that_was_asked_for_and_only_its_alphabet(length: int) -> None:
    assert re.fullmatch(rf"[A-Za-z0-9]{{{length}}}", random_letters(length))
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{length}}}", random_url_safe(length))
    assert re.fullmatch(rf"[0-9]{{{length}}}", random_digits(length))


def test_ids_and_tokens_have_32_letters_by_default() -> None:
    assert len(random_letters()) == 32


def test_every_letter_of_an_alphabet_is_drawn_about_as_often() -> None:
    drawn = random_digits(100_000)
    counts = [drawn.count(digit) for digit in "0123456789"]
    # Six standard deviations: once in 10^8 runs, a fair draw fails here.
    assert all(abs(count - 10_000) < 6 * 95 for count in counts)
    assert set(random_letters(20_000)) == set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@requirement("S02")
def test_a_thousand_tokens_are_all_different_and_share_no_beginning() -> None:
    tokens = {random_letters() for _ in range(1000)}
    assert len(tokens) == 1000
    assert len({token[:8] for token in tokens}) == 1000


def test_an_alphabet_may_have_one_letter_or_256() -> None:
    assert Alphabet("A").random(3) == "AAA"
    everything = Alphabet("".join(map(chr, range(128))) * 2)
    assert len(everything.random(1000)) == 1000


def test_a_random_uuid_is_of_version_4() -> None:
    made = UUID(random_uuid())
    assert made.version == 4
    assert random_uuid() != str(made)
