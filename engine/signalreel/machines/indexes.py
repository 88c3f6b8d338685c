"""What follows from the machines and is kept only to be found quickly.

Every entry is derived in `moved`, where a machine is stored; no action writes here, and rebuilding from the machines
gives the same answers. Whatever is walked is walked in an order that does not depend on how it came about, because the
order of messages is part of a step.
"""

from collections.abc import Collection
from heapq import heappop, heappush
from typing import Final, TypeVar

from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import AnyMachine, Key
from signalreel.step import Deadline

__all__ = ("Indexes",)

K = TypeVar("K")
V = TypeVar("V")
W = TypeVar("W")

_NOTHING: Final[dict[Key, None]] = {}
_NOBODY: Final[dict[str, int]] = {}
_NONE: Final[dict[str, None]] = {}


class Indexes:
    """Session to machines, source to playbacks, room to its streams, app to its machines, and the timers."""

    def __init__(self) -> None:
        self._held: dict[str, dict[Key, None]] = {}
        self._audience: dict[tuple[str, str], dict[str, int]] = {}
        self._waiting: dict[tuple[str, str], dict[str, int]] = {}
        self._placed: dict[tuple[str, str], dict[str, int]] = {}
        self._roster: dict[tuple[str, str], dict[str, int]] = {}
        self._ids: dict[tuple[Kind, str], dict[str, None]] = {}
        self._timers: list[tuple[int, int, Key, int]] = []

    def branch(self, machines: dict[Key, AnyMachine]) -> "Indexes":
        """A copy that goes its own way; of timers it has only those that are set."""
        other = Indexes()
        vars(other).update(
            _held=_copied(self._held),
            _audience=_copied(self._audience),
            _waiting=_copied(self._waiting),
            _placed=_copied(self._placed),
            _roster=_copied(self._roster),
            _ids=_copied(self._ids),
            _timers=sorted((one.wake_at, one.timer, key, one.born) for key, one in machines.items() if one.wake_at),
        )
        return other

    def held(self, session: str) -> Collection[Key]:
        """The machines a session holds; membership is quick, the order means nothing."""
        return self._held.get(session, _NOTHING)

    def audience_size(self, app: str, source: str) -> int:
        """How many playbacks show this stream or room."""
        return len(self._audience.get((app, source), _NOBODY))

    def audience(self, app: str, source: str) -> list[str]:
        """The ids of the playbacks of this stream or room, sorted."""
        return sorted(self._audience.get((app, source), _NOBODY))

    def waiting(self, app: str, stream_id: str) -> list[str]:
        """The ids of the playbacks that wait for this stream, sorted."""
        return sorted(self._waiting.get((app, stream_id), _NOBODY))

    def waiting_size(self, app: str, stream_id: str) -> int:
        """How many playbacks wait for this stream."""
        return len(self._waiting.get((app, stream_id), _NOBODY))

    def all_waiting(self) -> list[tuple[str, str]]:
        """Every playback that waits for a stream, sorted: (app, its id)."""
        return sorted((app, id) for (app, _), waiting in self._waiting.items() for id in waiting)

    def roster(self, app: str, room: str) -> list[tuple[str, int]]:
        """The live streams of a room, sorted by id: (stream id, born)."""
        return sorted(self._roster.get((app, room), _NOBODY).items())

    def placed(self, app: str, room: str) -> list[str]:
        """The ids of the streams that are published in a room, live or not, sorted."""
        return sorted(self._placed.get((app, room), _NOBODY))

    def placed_size(self, app: str, room: str) -> int:
        """How many streams are published in a room, those that are not live yet included."""
        return len(self._placed.get((app, room), _NOBODY))

    def ids(self, kind: Kind, app: str) -> Collection[str]:
        """The ids of an app's machines of a kind; their number is quick, the order means nothing."""
        return self._ids.get((kind, app), _NONE)

    def streams(self, app: str) -> int:
        """How many streams an app has, those that are not live yet included."""
        return len(self.ids(Kind.STREAM, app))

    def moved(self, key: Key, before: AnyMachine, after: AnyMachine, *, stored: bool, was_stored: bool) -> None:
        """Follow a machine from one value to the next; `stored` is False when it was dropped."""
        if after.sessions is not before.sessions:
            self._move_sessions(key, before, after)
        if (
            after.watches != before.watches
            or after.listed_in != before.listed_in
            or after.placed_in != before.placed_in
            or after.waits_for != before.waits_for
        ):
            self._move_listings(before, after)
        if stored is not was_stored:
            self._list(key, stored=stored)
        if stored and after.wake_at and (after.timer != before.timer or after.wake_at != before.wake_at):
            heappush(self._timers, (after.wake_at, after.timer, key, after.born))

    def _move_sessions(self, key: Key, before: AnyMachine, after: AnyMachine) -> None:
        gone, come = after.moved_sessions(before)
        for session in gone:
            held = self._held[session]
            del held[key]
            if not held:
                del self._held[session]
        for session in come:
            self._held.setdefault(session, {})[key] = None

    def _move_listings(self, before: AnyMachine, after: AnyMachine) -> None:
        app, id, born = after.app, after.id, after.born
        for index, old, new in (
            (self._audience, before.watches, after.watches),
            (self._waiting, before.waits_for, after.waits_for),
            (self._placed, before.placed_in, after.placed_in),
            (self._roster, before.listed_in, after.listed_in),
        ):
            if old == new:
                continue
            if old:
                listed = index[app, old]
                del listed[id]
                if not listed:
                    del index[app, old]
            if new:
                index.setdefault((app, new), {})[id] = born

    def _list(self, key: Key, *, stored: bool) -> None:
        kind, app, id = key
        if stored:
            self._ids.setdefault((kind, app), {})[id] = None
            return
        listed = self._ids[kind, app]
        del listed[id]
        if not listed:
            del self._ids[kind, app]

    def deadline(self, machines: dict[Key, AnyMachine]) -> Deadline | None:
        """The earliest timer that is still set. Timers that were retired meanwhile are dropped on the way."""
        timers = self._timers
        while timers:
            at, timer, key, born = timers[0]
            machine = machines.get(key)
            if machine is not None and machine.wake_at == at and machine.timer == timer:
                return Deadline(at, Reference(key[0], key[1], key[2], born), timer)
            heappop(timers)
        return None


def _copied(index: dict[K, dict[V, W]]) -> dict[K, dict[V, W]]:
    return {place: listed.copy() for place, listed in index.items()} if index else {}
