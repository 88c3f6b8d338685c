"""`signalreel_adapters.access.tags`."""

import hashlib
import hmac

import pytest

from signalreel_adapters.access.tags import KEY_BYTES_MIN, TAG_BITS, Tags

KEY = b"sixteen octets!!"


def test_a_tag_is_an_hmac_of_measured_parts() -> None:
    """HMAC-SHA256 over purpose and parts, each after its length: written here a second time by hand."""
    message = bytes(7) + b"\x03use" + bytes(7) + b"\x02ab" + bytes(7) + b"\x01c"

    assert Tags(KEY).tag("use", "ab", "c") == hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]


def test_a_tag_is_long_enough() -> None:
    """At least 96 bits (contract item 11), in hexadecimal digits."""
    tag = Tags(KEY).tag("use", "x")

    assert TAG_BITS >= 96
    assert len(tag) * 4 == TAG_BITS
    assert int(tag, 16) >= 0


def test_tags_differ_by_key_purpose_and_parts() -> None:
    """Nothing that goes in can be moved to another place without changing the tag."""
    tags = [
        Tags(KEY).tag("use", "ab", "c"),
        Tags(KEY).tag("use", "a", "bc"),
        Tags(KEY).tag("use", "abc"),
        Tags(KEY).tag("use", "ab", "c", ""),
        Tags(KEY).tag("us", "eab", "c"),
        Tags(KEY + b"!").tag("use", "ab", "c"),
        Tags(KEY).subscriber("a"),
        Tags(KEY).holder("a"),
    ]

    assert len(set(tags)) == len(tags)
    assert Tags(KEY).subscriber("a") == Tags(KEY.decode()).subscriber("a")


def test_a_short_key_is_refused_without_being_shown() -> None:
    """A key that could be found by trying is a mistake of the configuration, told without the key."""
    with pytest.raises(ValueError, match=str(KEY_BYTES_MIN)) as caught:
        Tags("canary")

    assert "canary" not in str(caught.value)


def test_nothing_of_the_key_or_the_parts_is_shown() -> None:
    """Neither the tags' own text nor a tag holds what it was made from; a lone surrogate is no obstacle."""
    tags = Tags("canary of sixteen octets")

    assert "canary" not in repr(tags)
    assert "canary" not in tags.tag("use", "canary")
    assert len(tags.subscriber("\ud800")) == TAG_BITS // 4
