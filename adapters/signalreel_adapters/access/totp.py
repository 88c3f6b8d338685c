"""The gate for time-based one-time codes (RFC 6238) of subscribers.

Six digits by HMAC-SHA1 over the number of the period, as authenticator apps make them and as real servers check them.
The code of the period before and of the one after are good too, because clocks differ (section 5.2). One code is good
for one use (same section): the verdict carries its tag, and the engine marks it.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final, Protocol

from msgspec import Struct

from signalreel.commands import AnyCommand
from signalreel.registered import Purpose
from signalreel_adapters.access.backoff import Backoff, BackoffLimits
from signalreel_adapters.access.rights import NoRooms, Right, Rooms, Wish, covers, decide_by, rooms_of, scopes_of
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.access.times import SECOND, kept_until
from signalreel_adapters.ports import Clock, SessionInfo, Verdict
from signalreel_adapters.runtime import SystemClock

__all__ = (
    "CODE_DIGITS",
    "PERIOD_S",
    "STEPS_AROUND",
    "SUBSCRIBERS_MAX",
    "MemorySubscribers",
    "Subscriber",
    "SubscriberStore",
    "TotpGate",
    "derived_secret",
    "secret_octets",
    "totp_code",
)

CODE_DIGITS: Final = 6
"""Digits of a code, zeros in front included."""

PERIOD_S: Final = 60
"""Seconds that a code is for, unless the subscriber has another period. The RFC's 30 are not what real servers use."""

STEPS_AROUND: Final = 1
"""Periods before and after the present one whose codes are accepted."""

SUBSCRIBERS_MAX: Final = 100_000
"""Subscribers registered in memory."""

_PERIOD_S_MAX: Final = 86_400
_PAD_TO: Final = 8
_ADDRESSES_PER_SUBSCRIBER: Final = 10
_NAME_CHARACTERS_MAX: Final = 255


class Subscriber(Struct, frozen=True):
    """A registered subscriber of one stream or room. Its text leaves the secret out."""

    stream_id: str
    subscriber_id: str
    secret: str  #: base 32, as authenticator apps take it (RFC 4648, section 6)
    purpose: Purpose = Purpose.PLAY  #: one who may publish may play too
    period_s: int = PERIOD_S

    def __repr__(self) -> str:
        return f"Subscriber({self.stream_id!r}, {self.subscriber_id!r}, {self.purpose.value!r})"


class SubscriberStore(Protocol):
    """Where subscribers are found."""

    async def find(self, app: str, stream_id: str, subscriber_id: str) -> Subscriber | None:
        """Give the subscriber of this stream or room; None when there is none of that name."""
        ...


class MemorySubscribers:
    """Subscribers registered in this process; they are gone with it."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str, str], Subscriber] = {}

    def register(self, app: str, subscriber: Subscriber) -> None:
        """Add a subscriber, or replace the one of that name.

        Raises `ValueError` when the secret is no base 32, the period is none, or `SUBSCRIBERS_MAX` are registered.
        """
        secret_octets(subscriber.secret)
        if not 0 < subscriber.period_s <= _PERIOD_S_MAX:
            raise ValueError(f"a period has from 1 to {_PERIOD_S_MAX} seconds, not {subscriber.period_s}")
        place = (app, subscriber.stream_id, subscriber.subscriber_id)
        if place not in self._subscribers and len(self._subscribers) >= SUBSCRIBERS_MAX:
            raise ValueError(f"{SUBSCRIBERS_MAX} subscribers are registered, which is the most there may be")
        self._subscribers[place] = subscriber

    def remove(self, app: str, stream_id: str, subscriber_id: str) -> None:
        """Remove a subscriber. Harmless when there is none."""
        self._subscribers.pop((app, stream_id, subscriber_id), None)

    async def find(self, app: str, stream_id: str, subscriber_id: str) -> Subscriber | None:
        """Give the subscriber of this stream or room."""
        return self._subscribers.get((app, stream_id, subscriber_id))


class TotpGate:
    """Accepts the present code of the subscriber that a command names. Both a `Gate` and a `Check`.

    Subscribers that are not registered are accepted only when `secret` is given: theirs is derived from it. Derived
    secrets run name and stream id together as real servers do, so let such names and ids be of fixed length, or random;
    otherwise the subscriber `ab` of stream `c` shares a secret with the subscriber `a` of stream `bc`.

    Wrong codes are counted by subscriber and address, and more patiently by subscriber alone: see `backoff`. Codes for
    subscribers that there are not count for nothing, and are refused in the same words.
    """

    def __init__(
        self,
        subscribers: SubscriberStore,
        *,
        tags: Tags,
        secret: str = "",
        backoff: BackoffLimits | None = None,
        rooms: Rooms | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._subscribers = subscribers
        self._tags = tags
        self._secret = secret
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._clock: Clock = clock if clock is not None else SystemClock()
        near = backoff if backoff is not None else BackoffLimits()
        anywhere = BackoffLimits(
            near.failures_max * _ADDRESSES_PER_SUBSCRIBER, near.first_s, near.longest_s, near.entries_max
        )
        self._near = Backoff(near, self._clock)
        self._anywhere = Backoff(anywhere, self._clock)

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the command's subscriber and code."""
        return await decide_by(self, command, session)

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Decide about a code; None when the command has none."""
        if not wish.subscriber_code:
            return None
        if not wish.subscriber_id or len(wish.subscriber_id) > _NAME_CHARACTERS_MAX:
            return Verdict.refuse()
        anywhere = (session.app, wish.subscriber_id)
        near = (*anywhere, session.peer.address)
        if self._near.is_closed(near) or self._anywhere.is_closed(anywhere):
            return Verdict.refuse()
        candidates = await self._candidates(wish, session)
        for subscriber, right in candidates:
            counter = self._counter_of(subscriber, wish.subscriber_code)
            if counter is None:
                continue
            self._near.succeed(near)
            self._anywhere.succeed(anywhere)
            once = self._tags.tag("totp", subscriber.stream_id, wish.subscriber_id, str(counter))
            end = (counter + 1 + STEPS_AROUND) * subscriber.period_s
            identity, until = self._tags.subscriber(wish.subscriber_id), kept_until(end * SECOND)
            return Verdict.allow(identity, once=once, until=until, rooms=rooms_of(right, wish))
        # Where there is no code to find nothing was guessed: made-up names must not push real ones out of the memory.
        if candidates:
            self._near.fail(near)
            self._anywhere.fail(anywhere)
        return Verdict.refuse()

    async def _candidates(self, wish: Wish, session: SessionInfo) -> list[tuple[Subscriber, Right]]:
        """Give the subscriptions of that name which would cover the wish; the code says which is meant, if any."""
        found: list[Subscriber] = []
        for scope in scopes_of(wish, session, self._rooms):
            registered = await self._subscribers.find(session.app, scope, wish.subscriber_id)
            if registered is not None:
                found.append(registered)
            elif self._secret:
                secret = derived_secret(self._secret, wish.subscriber_id, scope, wish.purpose)
                found.append(Subscriber(scope, wish.subscriber_id, secret, wish.purpose))
        return [
            (subscriber, right)
            for subscriber in found
            if (right := self._covering(subscriber, wish, session)) is not None
        ]

    def _covering(self, subscriber: Subscriber, wish: Wish, session: SessionInfo) -> Right | None:
        """Give the right of a subscriber that covers the wish: its own purpose, and playing with publishing."""
        also = (Purpose.PLAY,) if subscriber.purpose is Purpose.PUBLISH else ()
        rights = [Right(subscriber.stream_id, purpose) for purpose in (*also, subscriber.purpose)]
        return next((right for right in rights if covers(right, wish, session, self._rooms)), None)

    def _counter_of(self, subscriber: Subscriber, code: str) -> int | None:
        """Give the number of the period whose code this is. Every candidate is compared, in constant time each."""
        key = secret_octets(subscriber.secret)
        now = self._clock.wall() // (subscriber.period_s * SECOND)
        shown = code.encode("utf-8", "surrogatepass")
        matching: int | None = None
        for counter in range(max(0, now - STEPS_AROUND), now + STEPS_AROUND + 1):
            if hmac.compare_digest(totp_code(key, counter).encode(), shown):
                matching = counter
        return matching


def totp_code(key: bytes, counter: int) -> str:
    """Give the code of a period (RFC 4226, section 5.3, with the counter of RFC 6238)."""
    digest = hmac.new(key, counter.to_bytes(8), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**CODE_DIGITS).zfill(CODE_DIGITS)


def derived_secret(secret: str, subscriber_id: str, stream_id: str, purpose: Purpose) -> str:
    """Give the base 32 secret of a subscriber that is not registered, as real servers derive it."""
    text = f"{secret}{subscriber_id}{stream_id}{purpose}"
    return base64.b32encode((text + "X" * (-len(text) % _PAD_TO)).encode("utf-8", "surrogatepass")).decode()


def secret_octets(secret: str) -> bytes:
    """Read base 32 as people write it: small letters, blanks and missing padding are forgiven.

    Raises `ValueError` when it is none.
    """
    letters = secret.replace(" ", "").rstrip("=").upper()
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % _PAD_TO))
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("the secret of a subscriber is base 32, and this is none")  # Without the text: it is secret.
    return key
