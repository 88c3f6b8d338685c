"""Blocked subscribers: kept out for a while, and put out of what they are in.

A block holds for the identity that a gate has verified and for the name that a command claims, so that leaving out
one's name, or claiming another, does not get around it. It is asked after access, as the order of checks has it.
"""

from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from msgspec import Struct

from signalreel.commands import AnyCommand
from signalreel.errors import SignalreelError
from signalreel.host import KickSession
from signalreel.refusals import USER_BLOCKED
from signalreel.registered import BlockKind, Purpose
from signalreel_adapters.access.rights import NoRooms, Rooms, Wish, scopes_of, wish_of
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.ports import Clock, Gate, SessionInfo, Verdict
from signalreel_adapters.runtime import Runtime, SystemClock

__all__ = (
    "BLOCKS_MAX",
    "BLOCK_S_MAX",
    "EVERY_STREAM",
    "SESSION_USES_MAX",
    "BlockGate",
    "Blocks",
    "TooManyBlocks",
    "TooManyUses",
    "end_sessions",
)

BLOCKS_MAX: Final = 100_000
"""Blocks that have not run out."""

BLOCK_S_MAX: Final = 10 * 366 * 86_400
"""The longest block, in seconds: ten years."""

SESSION_USES_MAX: Final = 4_096
"""Different things that one session may be allowed while it lives; the next is refused."""

EVERY_STREAM: Final = ""
"""Stands for all streams and rooms of the app."""


class TooManyBlocks(SignalreelError):
    """So many blocks are in force that no other is taken. Lift some, or block for a shorter time."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} blocks are in force, which is the most there may be")


class TooManyUses(SignalreelError):
    """A session was allowed so many different things that no other can be remembered. It may come back."""

    def __init__(self) -> None:
        super().__init__(f"a session was allowed {SESSION_USES_MAX} different things, which is the most there may be")


class _Use(Struct, frozen=True):
    """What a session was allowed, by whom it said or proved to be."""

    purpose: Purpose
    scopes: tuple[str, ...]
    identities: tuple[str, ...]


class Blocks:
    """The blocks of all apps, and who was let in before they were made.

    What live sessions were allowed is remembered as long as each of them lives, so that a new block can end them. The
    blocks themselves are in memory: whoever keeps them elsewhere makes them again at a start.
    """

    def __init__(self, *, tags: Tags, blocks_max: int = BLOCKS_MAX, clock: Clock | None = None) -> None:
        self._tags = tags
        self._blocks_max = blocks_max
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._blocks: dict[tuple[str, str, str, Purpose], int] = {}
        self._allowed: WeakKeyDictionary[SessionInfo, set[_Use]] = WeakKeyDictionary()

    def block(
        self, app: str, subscriber_id: str, kind: BlockKind, *, seconds: int, stream_id: str = EVERY_STREAM
    ) -> tuple[SessionInfo, ...]:
        """Block a subscriber from now on, and give the live sessions that hold what it forbids: end them.

        A block of the same subscriber, stream and kind is replaced, whether it was longer or not. Raises `ValueError`
        when the time is none, `TooManyBlocks` when there are too many.
        """
        if not 0 < seconds <= BLOCK_S_MAX:
            raise ValueError(f"a block lasts from 1 to {BLOCK_S_MAX} seconds, not {seconds}")
        now = self._clock.wall()
        if len(self._blocks) >= self._blocks_max:
            self._blocks = {place: until for place, until in self._blocks.items() if until > now}
        if len(self._blocks) >= self._blocks_max:
            raise TooManyBlocks(self._blocks_max)
        identity = self._tags.subscriber(subscriber_id)
        purposes = kind.purposes
        for purpose in purposes:
            self._blocks[app, identity, stream_id, purpose] = now + seconds * SECOND
        return tuple(
            session
            for session, uses in list(self._allowed.items())
            if session.app == app
            and any(
                use.purpose in purposes and identity in use.identities and stream_id in {EVERY_STREAM, *use.scopes}
                for use in uses
            )
        )

    def lift(self, app: str, subscriber_id: str, kind: BlockKind, *, stream_id: str = EVERY_STREAM) -> None:
        """End a block early. Harmless when there is none."""
        for purpose in kind.purposes:
            self._blocks.pop((app, self._tags.subscriber(subscriber_id), stream_id, purpose), None)

    def admit(self, wish: Wish, session: SessionInfo, identity: str, rooms: Rooms) -> bool:
        """Whether no block forbids the wish; when none does, remember that the session was let in.

        Raises `TooManyUses`, which refuses the command as any exception of a gate does.
        """
        claimed = wish.subscriber_id or session.identity
        names = (identity, self._tags.subscriber(claimed) if claimed else "")
        identities = tuple(sorted({name for name in names if name}))
        scopes = tuple(sorted({*scopes_of(wish, session, rooms), *((wish.room,) if wish.room else ())}))
        now = self._clock.wall()
        for name in identities:
            for scope in (EVERY_STREAM, *scopes):
                if self._blocks.get((session.app, name, scope, wish.purpose), 0) > now:
                    return False
        if identities:
            uses = self._allowed.setdefault(session, set())
            uses.add(_Use(wish.purpose, scopes, identities))
            if len(uses) > SESSION_USES_MAX:
                raise TooManyUses
        return True


class BlockGate:
    """Asks another gate for access, and then whether whoever it is has been blocked."""

    def __init__(self, access: Gate, blocks: Blocks, *, rooms: Rooms | None = None) -> None:
        self._access = access
        self._blocks = blocks
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._knows_rooms = rooms is not None

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Give the other gate's verdict, unless a block stands against what it allows.

        Where rooms can be looked up it is good for the one that was found, and for none.
        """
        verdict = await self._access.decide(command, session)
        wish = wish_of(command)
        if not verdict.grant.allowed or wish is None:
            return verdict
        if not self._blocks.admit(wish, session, verdict.grant.identity, self._rooms):
            return Verdict.refuse(USER_BLOCKED.definition)
        if not self._knows_rooms or wish.enters or wish.meets:
            return verdict
        return verdict.within(("", *scopes_of(wish, session, self._rooms)))


async def end_sessions(runtime: Runtime, sessions: Iterable[SessionInfo], *, actor: str = "") -> None:
    """Close these sessions' transports, which ends everything they hold. Goes on the reel as the host's own command."""
    for session in sessions:
        await runtime.submit(KickSession(session=session.session), app=session.app, actor=actor)
