"""`signalreel_adapters.access.keys`."""

import base64
import random

import pytest

from signalreel_adapters.access.keys import is_guessable, is_too_short


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"dev",
        b"secret",
        b"changeme-changeme-changeme",
        b"change-me-please-change-me",
        b"this-is-my-secret-key",
        b"signalreel-dev-operator-key",
        b"test-test-test-test-test-test",
        b"your-secret-token-example",
        b"password12345678901234567890",
        b"0123456789abcdef0123456789abcdef",
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"abababababababababababababababab",
        b"abcdefghijklmnopqrstuvwxyz",
        b"qwertzuiopasdfghjkl",
        bytes(32),
        b"\xff" * 64,
    ],
)
def test_what_people_write_where_a_key_should_stand(key: bytes) -> None:
    """Words of examples, rows of a keyboard and one letter again and again are no keys, however long."""
    assert is_guessable(key)


def test_what_was_drawn_is_a_key() -> None:
    """Keys as the usual tools draw them."""
    chance = random.Random(1)  # one in some thousand is taken for a habit by accident
    octets = [chance.randbytes(32) for _ in range(600)]
    drawn = [*octets[:200], *(each.hex().encode() for each in octets[200:400])]
    drawn += [base64.urlsafe_b64encode(each[:24]) for each in octets[400:]]

    assert [key for key in drawn if is_guessable(key)] == []


@pytest.mark.parametrize(("length", "short"), [(0, True), (15, True), (16, False), (64, False)])
def test_a_key_has_sixteen_octets(length: int, short: bool) -> None:
    """Fewer could be found by trying."""
    assert is_too_short(b"k" * length) is short
