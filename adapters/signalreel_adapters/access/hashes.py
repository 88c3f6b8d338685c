"""The gate for hash tokens: SHA-256 over stream id, purpose and a shared secret, in hexadecimal.

Such a token never expires and names nobody; whoever has seen it has it for good. It is here because real servers take
it. Prefer web tokens.
"""

import hashlib
import hmac
import re
from typing import Final

from signalreel.commands import AnyCommand
from signalreel.registered import Purpose
from signalreel_adapters.access.rights import (
    NoRooms,
    Right,
    Rooms,
    Wish,
    covers,
    decide_by,
    identity_of,
    rooms_of,
    scopes_of,
)
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.ports import SessionInfo, Verdict

__all__ = ("HASH_SECRET_BYTES_MIN", "HashGate", "hash_token")

HASH_SECRET_BYTES_MIN: Final = 16
"""A shorter secret could be found by trying, from one token that was seen."""

_FORM: Final = re.compile(r"[0-9A-Fa-f]{64}")


def hash_token(stream_id: str, purpose: Purpose, secret: str) -> str:
    """Make the token for a stream or room and a purpose.

    Everything is written together without separators, as real servers do. It stays unambiguous, because a purpose
    never ends with the other one and the secret is always the same.
    """
    return hashlib.sha256(f"{stream_id}{purpose}{secret}".encode()).hexdigest()


class HashGate:
    """Accepts the hash token of the stream or room that a command asks for. Both a `Gate` and a `Check`."""

    def __init__(self, secret: str, *, tags: Tags, rooms: Rooms | None = None) -> None:
        if len(secret.encode()) < HASH_SECRET_BYTES_MIN:
            raise ValueError(f"the secret for hash tokens has fewer than {HASH_SECRET_BYTES_MIN} bytes")
        self._secret = secret
        self._tags = tags
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the command's token."""
        return await decide_by(self, command, session)

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Decide about a token of 64 hexadecimal digits; None for any other."""
        if _FORM.fullmatch(wish.token) is None:
            return None
        shown = wish.token.lower()
        scopes = scopes_of(wish, session, self._rooms)
        granted: Right | None = None
        for right in [Right(scope, purpose) for scope in scopes for purpose in Purpose]:
            is_it = hmac.compare_digest(shown, hash_token(right.stream_id, right.purpose, self._secret))
            if is_it and covers(right, wish, session, self._rooms):
                granted = right
        if granted is None:
            return Verdict.refuse()
        identity = identity_of(self._tags, "", session, wish, granted.stream_id)
        return Verdict.allow(identity, rooms=rooms_of(granted, wish))
