"""The gate for one-time tokens: random texts that were issued for one stream and one purpose.

The store keeps their keyed tags, so whoever reads the store has no token. That a token was used is not marked here: the
verdict carries its tag and the engine marks it when it accepts the command, so that a retry after another refusal (the
id was in use, the machine was busy) finds it unused.
"""

import secrets
from typing import Final, Protocol

from msgspec import Struct

from signalreel.commands import AnyCommand
from signalreel.errors import SignalreelError
from signalreel.registered import Purpose
from signalreel_adapters.access.rights import NoRooms, Right, Rooms, Wish, covers, decide_by, identity_of, rooms_of
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.access.times import SECOND, kept_until
from signalreel_adapters.ports import Clock, SessionInfo, Verdict
from signalreel_adapters.runtime import SystemClock

__all__ = (
    "TOKENS_MAX",
    "TOKEN_LIFETIME_S_MAX",
    "Issued",
    "MemoryTokens",
    "OneTimeGate",
    "TokenStore",
    "TooManyTokens",
    "one_time_tag",
)

TOKENS_MAX: Final = 100_000
"""Tokens in memory that have not expired; no more are issued until some have."""

TOKEN_LIFETIME_S_MAX: Final = 30 * 86_400
"""The longest life of a token, in seconds: used ones are remembered as long, on the reel's machines."""

_TOKEN_BYTES: Final = 24


class Issued(Struct, frozen=True):
    """What a one-time token was issued for."""

    stream_id: str  #: a stream, a peer pair or a room
    purpose: Purpose
    expires_at: int  #: microseconds since 1970
    room: str = ""  #: a room in which the stream may be published
    subscriber_id: str = ""  #: whom it was given to, when that is known


class TooManyTokens(SignalreelError):
    """So many tokens are alive that no other is issued. Wait until some expire, or let them live less long."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} one-time tokens are alive, which is the most there may be")


class TokenStore(Protocol):
    """Where issued tokens are found, by app and keyed tag."""

    async def find(self, app: str, tag: str) -> Issued | None:
        """Give what the token of this tag was issued for; None when there is none. It may have expired."""
        ...


class MemoryTokens:
    """A token store in this process; what it holds is gone with it."""

    def __init__(self, *, tags: Tags, tokens_max: int = TOKENS_MAX, clock: Clock | None = None) -> None:
        self._tags = tags
        self._tokens_max = tokens_max
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._issued: dict[tuple[str, str], Issued] = {}

    def issue(
        self,
        app: str,
        stream_id: str,
        purpose: Purpose,
        *,
        lifetime_s: int,
        room: str = "",
        subscriber_id: str = "",
    ) -> str:
        """Make a token of 192 random bits and give it to whoever hands it on. It cannot be asked for again.

        Raises `TooManyTokens` when no more are issued, `ValueError` when the lifetime is none.
        """
        if not 0 < lifetime_s <= TOKEN_LIFETIME_S_MAX:
            raise ValueError(f"a token lives from 1 to {TOKEN_LIFETIME_S_MAX} seconds, not {lifetime_s}")
        now = self._clock.wall()
        if len(self._issued) >= self._tokens_max:
            self._issued = {place: issued for place, issued in self._issued.items() if issued.expires_at > now}
        if len(self._issued) >= self._tokens_max:
            raise TooManyTokens(self._tokens_max)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._issued[app, one_time_tag(self._tags, token)] = Issued(
            stream_id, purpose, now + lifetime_s * SECOND, room, subscriber_id
        )
        return token

    async def find(self, app: str, tag: str) -> Issued | None:
        """Give what the token of this tag was issued for."""
        return self._issued.get((app, tag))


class OneTimeGate:
    """Accepts a token that was issued for what a command asks for. Both a `Gate` and a `Check`."""

    def __init__(
        self, store: TokenStore, *, tags: Tags, rooms: Rooms | None = None, clock: Clock | None = None
    ) -> None:
        self._store = store
        self._tags = tags
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._clock: Clock = clock if clock is not None else SystemClock()

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the command's token."""
        return await decide_by(self, command, session)

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Decide about a token that was issued; None for any other."""
        if not wish.token:
            return None
        once = one_time_tag(self._tags, wish.token)
        issued = await self._store.find(session.app, once)
        if issued is None:
            return None
        right = Right(issued.stream_id, issued.purpose, issued.room)
        if self._clock.wall() >= issued.expires_at or not covers(right, wish, session, self._rooms):
            return Verdict.refuse()
        identity = identity_of(self._tags, issued.subscriber_id, session, wish, issued.stream_id)
        return Verdict.allow(identity, once=once, until=kept_until(issued.expires_at), rooms=rooms_of(right, wish))


def one_time_tag(tags: Tags, token: str) -> str:
    """Give the tag by which a token is stored and marked used."""
    return tags.tag("one-time token", token)
