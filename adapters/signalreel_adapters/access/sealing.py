"""Sealing: how a secret that must be read again stands on a reel without being there.

AES-256-GCM under a key that is made from the operator's key. What was sealed for one purpose opens for no other, and
what was changed does not open at all. Each sealing draws its own nonce, so the same secret never looks the same twice.
"""

import base64
import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signalreel.errors import SignalreelError
from signalreel_adapters.access.tags import KEY_BYTES_MIN

__all__ = ("PUSH_TOKEN", "SUBSCRIBER_SECRET", "Sealing", "Unsealable")

SUBSCRIBER_SECRET: Final = "subscriber secret"  # noqa: S105 - a purpose
"""What a subscriber's codes are made from."""

PUSH_TOKEN: Final = "push token"  # noqa: S105 - a purpose
"""Where a subscriber's pushes go."""

_DERIVATION: Final = b"signalreel sealing 1"
_NONCE_BYTES: Final = 12
"""What AES-GCM takes without hashing it (NIST SP 800-38D, section 5.2.1.1). Drawn: good for 2^32 sealings of a key."""


class Unsealable(SignalreelError):
    """What was to be opened was sealed with another key, for another purpose, or is damaged."""

    def __init__(self) -> None:
        super().__init__("it was sealed with another key, for another purpose, or is damaged")


class Sealing:
    """Seals and opens under one key. Shows neither the key nor what was sealed."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes | str) -> None:
        octets = key.encode() if isinstance(key, str) else key
        if len(octets) < KEY_BYTES_MIN:
            raise ValueError(f"the key for sealing has fewer than {KEY_BYTES_MIN} bytes")
        # Tags are made under the operator's key itself; a derived one keeps the two apart.
        self._cipher = AESGCM(hmac.new(octets, _DERIVATION, hashlib.sha256).digest())

    def seal(self, purpose: str, text: str) -> str:
        """Give the sealed form of a secret, which may stand anywhere."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, purpose: str, sealed: str) -> str:
        """Give the secret back. Raises `Unsealable`."""
        try:
            octets = base64.b64decode(sealed.encode("ascii"), altchars=b"-_", validate=True)
            nonce, inner = octets[:_NONCE_BYTES], octets[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, inner, purpose.encode()).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise Unsealable from None
