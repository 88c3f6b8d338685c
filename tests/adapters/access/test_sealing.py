"""`signalreel_adapters.access.sealing`."""

import base64

import pytest

from signalreel_adapters.access.sealing import PUSH_TOKEN, SUBSCRIBER_SECRET, Sealing, Unsealable

KEY = b"sixteen octets!!"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize("secret", [SECRET, "", "ä€😀", "x" * 4_096, "\ud800"])
def test_what_is_sealed_opens(secret: str) -> None:
    """For its purpose, with its key, also by another object."""
    sealed = Sealing(KEY).seal(SUBSCRIBER_SECRET, secret)

    assert Sealing(KEY.decode()).open(SUBSCRIBER_SECRET, sealed) == secret
    assert sealed.isascii()


def test_nothing_of_the_secret_is_seen() -> None:
    """Not even that two are the same."""
    sealing = Sealing(KEY)
    first, second = sealing.seal(SUBSCRIBER_SECRET, SECRET), sealing.seal(SUBSCRIBER_SECRET, SECRET)

    assert first != second
    assert SECRET.encode() not in base64.urlsafe_b64decode(first)
    assert SECRET not in first
    assert SECRET not in repr(sealing)


def test_other_keys_and_purposes_do_not_open() -> None:
    """A push token is no subscriber's secret."""
    sealed = Sealing(KEY).seal(SUBSCRIBER_SECRET, SECRET)

    with pytest.raises(Unsealable):
        Sealing(KEY + b"x").open(SUBSCRIBER_SECRET, sealed)
    with pytest.raises(Unsealable):
        Sealing(KEY).open(PUSH_TOKEN, sealed)


def test_what_was_changed_does_not_open() -> None:
    """One bit anywhere is enough, and so is everything that never was sealed."""
    sealing = Sealing(KEY)
    octets = base64.urlsafe_b64decode(sealing.seal(SUBSCRIBER_SECRET, SECRET))
    forged = [octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :] for at in range(len(octets))]

    for sealed in [*(base64.urlsafe_b64encode(one).decode() for one in forged), "", "A", "AAAA", "ä", "A" * 16, "!!"]:
        with pytest.raises(Unsealable):
            sealing.open(SUBSCRIBER_SECRET, sealed)


def test_a_short_key_is_refused() -> None:
    """As for tags."""
    with pytest.raises(ValueError, match="fewer than 16 bytes"):
        Sealing(KEY[:-1])
