"""Access control for flows: the real gates for tokens and codes, and a hand that issues what they accept.

The secrets belong to nobody: a flow's server lives as long as the flow.
"""

import base64
import hashlib
import hmac
from typing import Final

import msgspec

from signalreel.commands import AnyCommand
from signalreel_adapters.access import FirstThatKnows, HashGate, MemorySubscribers, Purpose, Tags, TotpGate, hash_token
from signalreel_adapters.access.push import PushGate
from signalreel_adapters.access.sealing import Sealing
from signalreel_adapters.access.totp import PERIOD_S, derived_secret, totp_code
from signalreel_adapters.ports import Clock, SessionInfo, Verdict

__all__ = ("IssuingGate",)

_SHARED: Final = "a secret that everybody may know, of any length"
_SECOND: Final = 1_000_000
_VALID_S: Final = 300


class IssuingGate:
    """Lets in whoever shows a token of the stream, or a subscriber's code of the present minute.

    For push commands, whoever shows a web token of the subscriber that the command names.
    """

    def __init__(self, clock: Clock, *, app: str) -> None:
        self._clock = clock
        tags = Tags(_SHARED)
        access = FirstThatKnows(
            HashGate(_SHARED, tags=tags), TotpGate(MemorySubscribers(), tags=tags, secret=_SHARED, clock=clock)
        )
        self._gate = PushGate(access, {app: _SHARED}, tags=tags, sealing=Sealing(_SHARED), clock=clock)

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

    def push_token(self, subscriber_id: str) -> str:
        """Make the web token with which a subscriber gives push commands (RFC 7515, section 3.1)."""
        claims = {"iss": subscriber_id, "exp": self._clock.wall() // _SECOND + _VALID_S}
        signed = ".".join(_part(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{signed}.{_part(hmac.digest(_SHARED.encode(), signed.encode(), hashlib.sha256))}"


def _part(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
