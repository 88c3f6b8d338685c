"""The gate for push commands: it verifies the web token and seals where the device can be reached.

The token is signed with HMAC-SHA256 under the app's subscriber authentication key, and its issuer (`iss`) is the
subscriber that the command names, as real servers have it. Every other command is left to the gate behind.

    gate = PushGate(access, {"live": key}, tags=tags, sealing=sealing)
"""

from collections.abc import Mapping
from typing import Final, Protocol

from signalreel.commands import AnyCommand, RegisterPushToken, SendPush
from signalreel.refusals import AUTHENTICATION_TOKEN_NOT_VALID, MISSING_PARAMETER
from signalreel_adapters.access.jwt import LEEWAY_S_MAX, issuer_of, signing_key
from signalreel_adapters.access.sealing import PUSH_TOKEN
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.ports import Clock, Gate, SessionInfo, Verdict
from signalreel_adapters.runtime import SystemClock

__all__ = ("DEVICE_TOKEN_LENGTH_MAX", "PushGate", "Seals")

DEVICE_TOKEN_LENGTH_MAX: Final = 4_096
"""Characters of the address of a device. Those of real push services have a few hundred."""


class Seals(Protocol):
    """Seals a text for a purpose."""

    def seal(self, purpose: str, text: str) -> str:
        """Give the text as only the holder of the operator's key can read it."""
        ...


class PushGate:
    """Verifies push commands, and asks another gate about all others; without one everybody may do them.

    `keys` holds the subscriber authentication key of each app; in an app without one push commands are refused. A token
    needs an expiry unless `allow_without_expiry` is set for issuers who leave it out.
    """

    def __init__(
        self,
        access: Gate | None,
        keys: Mapping[str, bytes | str],
        *,
        tags: Tags,
        sealing: Seals,
        leeway_s: int = LEEWAY_S_MAX,
        allow_without_expiry: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if not 0 <= leeway_s <= LEEWAY_S_MAX:
            raise ValueError(f"the leeway is {leeway_s} s; it must be from 0 to {LEEWAY_S_MAX}")
        self._access = access
        for key in keys.values():
            signing_key(key)
        self._keys = keys
        self._tags = tags
        self._sealing = sealing
        self._leeway_s = leeway_s
        self._allow_without_expiry = allow_without_expiry
        self._clock: Clock = clock if clock is not None else SystemClock()

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide about a push command by its token."""
        if not isinstance(command, RegisterPushToken | SendPush):
            return await self._access.decide(command, session) if self._access is not None else Verdict.allow()
        address = command.pns_registration_token if isinstance(command, RegisterPushToken) else ""
        if not command.subscriber_id or not command.token or (isinstance(command, RegisterPushToken) and not address):
            return Verdict.refuse(MISSING_PARAMETER.definition)
        if len(address) > DEVICE_TOKEN_LENGTH_MAX or not self._is_signed(command, session.app):
            return Verdict.refuse(AUTHENTICATION_TOKEN_NOT_VALID.definition)
        sealed = self._sealing.seal(PUSH_TOKEN, address) if address else ""
        return Verdict.allow(self._tags.subscriber(command.subscriber_id), sealed=sealed)

    def _is_signed(self, command: RegisterPushToken | SendPush, app: str) -> bool:
        key = self._keys.get(app)
        if key is None:
            return False
        issuer = issuer_of(
            signing_key(key),
            command.token,
            now=self._clock.wall(),
            leeway_s=self._leeway_s,
            allow_without_expiry=self._allow_without_expiry,
        )
        return issuer == command.subscriber_id
