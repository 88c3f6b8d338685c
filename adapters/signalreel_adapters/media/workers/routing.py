"""Which worker has what: pure decisions over moves, told to nobody but the caller.

A stream and a playback live in one worker each, from their first move to their last, or until the worker is lost. A
playback goes where the first stream of its roster is, so that nothing needs to be relayed, unless that worker has so
much more to do than another that a relay is cheaper. A stream is relayed to each other worker that has a playback of
it, once, as long as it has one.
"""

from typing import Final

from msgspec import Struct

from signalreel.identifiers import Kind, Reference
from signalreel.step import Roster
from signalreel_adapters.media.moves import Move

__all__ = ("RELAY_WORTH", "Close", "Errand", "Follow", "Open", "Routes")

RELAY_WORTH: Final = 32
"""How many machines more a worker may have than another before a playback is kept away from its stream. A relay costs
both ends about as much as three viewers; what comes next is likely to play the same stream, and shares it."""


class Open(Struct, frozen=True):
    """Relay a stream from one worker to another. Comes before the move that needs it."""

    stream: Reference
    origin: int
    edge: int


class Close(Struct, frozen=True):
    """Relay a stream to a worker no more. Comes after the move that needs it no more."""

    stream: Reference
    edge: int


class Follow(Struct, frozen=True):
    """Have a worker follow a move."""

    worker: int
    move: Move


Errand = Open | Close | Follow


class Routes:
    """Where everything is. Workers are numbered; one that is down is given nothing new."""

    def __init__(self, count: int) -> None:
        self._up = [False] * count
        self._load = [0] * count
        self._home: dict[Reference, int] = {}
        self._shown: dict[Reference, tuple[Reference, ...]] = {}  # by playback: streams, as of its last roster
        self._edges: dict[Reference, dict[int, dict[Reference, None]]] = {}  # by stream: playbacks of each worker
        self._relays: dict[tuple[Reference, int], int | None] = {}  # by stream and edge: the origin, if it is not lost

    @property
    def load(self) -> tuple[int, ...]:
        """How many machines each worker has."""
        return tuple(self._load)

    def home(self, machine: Reference) -> int | None:
        """Which worker has a machine; None when none has."""
        return self._home.get(machine)

    # ------------------------------------------------------------------------------------------------------- workers

    def raise_up(self, worker: int) -> None:
        """Give a worker its share from now on."""
        self._up[worker] = True

    def lose(self, worker: int) -> list[Reference]:
        """Forget a worker and all that it had; gives that."""
        self._up[worker] = False
        lost = [machine for machine, home in self._home.items() if home == worker]
        for machine in lost:
            del self._home[machine]
            if machine.kind is Kind.PLAYBACK:
                for stream in self._shown.pop(machine, ()):
                    self._unwatch(stream, worker, machine)
        self._relays = {
            key: None if origin == worker else origin for key, origin in self._relays.items() if key[1] != worker
        }
        self._load[worker] = 0
        return lost

    # --------------------------------------------------------------------------------------------------------- moves

    def route(self, move: Move) -> list[Errand] | None:
        """Give what is to be done about a move, in that order; None when nobody is there to do it."""
        machine, transition = move.transition.machine, move.transition
        if transition.target == "finished":
            return self._finish(machine, move)
        home = self._home.get(machine)
        roster = transition.detail if isinstance(transition.detail, Roster) else None
        errands: list[Errand] = []
        if home is None:
            if transition.target == "restoring":
                return []
            home = self._choose(machine, roster)
            if home is None:
                return None
            self._home[machine] = home
            self._load[home] += 1
            if machine.kind is Kind.STREAM:
                # Who watched it when its worker was lost goes on watching, now that it is published again.
                errands += [opened for edge in self._edges.get(machine, {}) for opened in self._open(machine, edge)]
        if machine.kind is Kind.PLAYBACK and roster is not None:
            opened, closed = self._watch(machine, home, _streams(machine, roster))
            return [*opened, Follow(home, move), *closed]
        # A stream comes first: there must be something to relay.
        return [Follow(home, move), *errands]

    def _choose(self, machine: Reference, roster: Roster | None) -> int | None:
        up = [worker for worker, is_up in enumerate(self._up) if is_up]
        if not up:
            return None
        idle = min(up, key=self._load.__getitem__)
        if machine.kind is Kind.STREAM:
            watched = self._edges.get(machine, {})
            return min(up, key=lambda worker: (worker in watched, self._load[worker]))
        for stream in _streams(machine, roster) if roster is not None else ():
            near = self._home.get(stream)
            if near is not None:
                return near if self._load[near] - self._load[idle] < RELAY_WORTH else idle
        return idle

    def _finish(self, machine: Reference, move: Move) -> list[Errand]:
        home = self._home.pop(machine, None)
        followed: list[Errand] = []
        if home is not None:
            self._load[home] -= 1
            followed.append(Follow(home, move))
        if machine.kind is Kind.STREAM:
            edges = self._edges.pop(machine, {})
            return [*followed, *(each for edge in edges for each in self._close(machine, edge))]
        closed: list[Errand] = []
        for stream in self._shown.pop(machine, ()):
            if home is not None:
                closed += self._unwatch(stream, home, machine)
        return [*followed, *closed]

    # -------------------------------------------------------------------------------------------------------- relays

    def _watch(
        self, playback: Reference, home: int, streams: tuple[Reference, ...]
    ) -> tuple[list[Errand], list[Errand]]:
        """Note what a playback shows from now on; gives what is to be opened and what to be closed."""
        before = self._shown.get(playback, ())
        self._shown[playback] = streams
        opened: list[Errand] = []
        for stream in streams:
            self._edges.setdefault(stream, {}).setdefault(home, {})[playback] = None
            opened += self._open(stream, home)
        closed = [
            errand for stream in before if stream not in streams for errand in self._unwatch(stream, home, playback)
        ]
        return opened, closed

    def _unwatch(self, stream: Reference, worker: int, playback: Reference) -> list[Errand]:
        edges = self._edges.get(stream, {})
        watching = edges.get(worker, {})
        watching.pop(playback, None)
        if watching:
            return []
        edges.pop(worker, None)
        if not edges:
            self._edges.pop(stream, None)
        return self._close(stream, worker)

    def _open(self, stream: Reference, edge: int) -> list[Errand]:
        origin, key = self._home.get(stream), (stream, edge)
        if origin is None or self._relays.get(key) is not None:
            return []
        if origin == edge and key not in self._relays:
            return []  # unless playbacks there were begun when it was elsewhere: they go on as they are
        self._relays[key] = origin
        return [Open(stream, origin, edge)]

    def forget(self, opened: Open) -> None:
        """Forget a relay that could not be opened after all."""
        self._relays.pop((opened.stream, opened.edge), None)

    def _close(self, stream: Reference, edge: int) -> list[Errand]:
        if (stream, edge) not in self._relays:
            return []
        del self._relays[stream, edge]
        return [Close(stream, edge)]


def _streams(playback: Reference, roster: Roster) -> tuple[Reference, ...]:
    """Give what a roster names, by whole references."""
    return tuple(Reference(Kind.STREAM, playback.app, each.stream_id, each.born) for each in roster.sources)
