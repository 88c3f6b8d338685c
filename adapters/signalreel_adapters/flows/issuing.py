"""Access control for flows: the real gates for tokens and codes, and a hand that issues what they accept.

The secrets belong to nobody: a flow's server lives as long as the flow.
"""

import base64
from typing import Final

from signalreel.commands import AnyCommand
from signalreel_adapters.access import FirstThatKnows, HashGate, MemorySubscribers, Purpose, Tags, TotpGate, hash_token
from signalreel_adapters.access.totp import PERIOD_S, derived_secret, totp_code
from signalreel_adapters.ports import Clock, SessionInfo, Verdict

__all__ = ("IssuingGate",)

_SHARED: Final = "a secret that everybody may know"
_SECOND: Final = 1_000_000


class IssuingGate:
    """Lets in whoever shows a token of the stream, or a subscriber's code of the present minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        tags = Tags(_SHARED)
        self._gate = FirstThatKnows(
            HashGate(_SHARED, tags=tags), TotpGate(MemorySubscribers(), tags=tags, secret=_SHARED, clock=clock)
        )

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the credential that the command shows."""
        return await self._gate.decide(command, session)

    def token(self, stream_id: str, purpose: Purpose) -> str:
        """Make a token."""
        return hash_token(stream_id, purpose, _SHARED)

    def code(self, stream_id: str, purpose: Purpose, subscriber_id: str) -> str:
        """Make the code that a subscriber's app shows now."""
        key = base64.b32decode(derived_secret(_SHARED, subscriber_id, stream_id, purpose))
        return totp_code(key, self._clock.wall() // (PERIOD_S * _SECOND))
