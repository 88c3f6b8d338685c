"""Stores over what is registered: tokens and subscribers as they stand on the reel, so that a restart forgets none.

A gate is made before its runtime, so the engine is handed over afterwards, as to `LiveRooms`. Until then there is
nothing, and whatever depends on it is refused.
"""

from signalreel.engine import Engine
from signalreel_adapters.access.onetime import Issued
from signalreel_adapters.access.sealing import SUBSCRIBER_SECRET, Sealing, Unsealable
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.access.totp import Subscriber

__all__ = ("RegistrySubscribers", "RegistryTokens")


class RegistryTokens:
    """One-time tokens that were issued by a host command. Implements `TokenStore`."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def look_at(self, engine: Engine) -> None:
        """Take the engine to look at."""
        self._engine = engine

    async def find(self, app: str, tag: str) -> Issued | None:
        """Give what the token of this tag was issued for."""
        found = self._engine.registry.token(app, tag) if self._engine is not None else None
        if found is None:
            return None
        return Issued(found.stream_id, found.purpose, found.expires_at * SECOND, found.room)


class RegistrySubscribers:
    """Subscribers that were registered by a host command. Implements `SubscriberStore`.

    One whose secret does not open (another key sealed it) proves nothing, like one without a secret.
    """

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._engine: Engine | None = None

    def look_at(self, engine: Engine) -> None:
        """Take the engine to look at."""
        self._engine = engine

    async def find(self, app: str, stream_id: str, subscriber_id: str) -> Subscriber | None:
        """Give the subscriber of this stream or room."""
        found = self._engine.registry.subscriber(app, stream_id, subscriber_id) if self._engine is not None else None
        if found is None or not found.sealed_secret:
            return None
        try:
            secret = self._sealing.open(SUBSCRIBER_SECRET, found.sealed_secret)
        except Unsealable:
            return None
        return Subscriber(stream_id, subscriber_id, secret, found.purpose, found.period_s)
