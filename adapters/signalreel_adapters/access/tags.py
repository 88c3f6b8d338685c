"""Keyed tags: how a subscriber or a one-time token stands on a reel without being there.

A tag is an HMAC-SHA256 under a key of the operator's. Whoever reads the reel can tell that two records speak of the
same subscriber, and cannot try names or six-digit codes until one fits, as a bare hash would let them. All nodes that
share a reel share the key; with another key every restore window and every mark of a used token is lost.
"""

import hashlib
import hmac
from typing import Final

__all__ = ("KEY_BYTES_MIN", "TAG_BITS", "Tags")

KEY_BYTES_MIN: Final = 16
"""A shorter key could be found by trying. `secrets.token_bytes(32)` is a good one."""

TAG_BITS: Final = 128
"""Length of a tag. Contract item 11 asks for no less than 96; two subscribers never meet in one by accident."""


class Tags:
    """Makes tags under one key. Shows neither the key nor what a tag was made from."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes | str) -> None:
        octets = key.encode() if isinstance(key, str) else key
        if len(octets) < KEY_BYTES_MIN:
            raise ValueError(f"the key for tags has fewer than {KEY_BYTES_MIN} bytes")
        self._key = octets

    def tag(self, purpose: str, *parts: str) -> str:
        """Give the tag of these parts for this purpose, in hexadecimal.

        Each part goes in with its length before it, so that ("ab", "c") and ("a", "bc") differ; and so does the
        purpose, so that a tag for one is never good for another.
        """
        message = b"".join(_measured(part) for part in (purpose, *parts))
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[: TAG_BITS // 4]

    def subscriber(self, subscriber_id: str) -> str:
        """Give the identity of a subscriber: the same whichever gate has verified who it is."""
        return self.tag("subscriber", subscriber_id)

    def holder(self, stream_id: str) -> str:
        """Give the identity of whoever may publish this stream, where a credential names nobody."""
        return self.tag("holder", stream_id)


def _measured(part: str) -> bytes:
    octets = part.encode("utf-8", "surrogatepass")
    return len(octets).to_bytes(8) + octets
