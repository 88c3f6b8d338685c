"""The reel of one call, out of the reel of a whole server.

    made = excerpt(reel, streams=["s1"])

What belongs together is found by replaying: a record ties its session to every machine whose rows fired, to every
session that is told of it, and to whatever goes by the id that it asked for. A machine is one life of it: a stream that
was published in the morning is not tied to one of the same id in the evening. What is asked for is kept with everything
that it is tied to, over any number of steps; so are the records about the server as a whole, and those of its registry.

The excerpt is replayed and held against the whole: each machine in it takes the transitions that it took there, and
each command is refused as it was. What is counted over a whole app (the limit of its streams, a one-time token, the
sessions of a subscriber) can make that untrue; then everything of the app is kept, or of all apps, and `widened` says
so.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.renumber import NOTHING, numbers_of, renumber
from signalreel.debug.seams import pruned_seam
from signalreel.errors import InvalidRecord
from signalreel.events import DeadlineReached, Event, MediaEvent, SessionOpened
from signalreel.host import HostCommand, KickSession, RegistryCommand
from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import AnyMachine, Key
from signalreel.notes import MediaFailed, MediaStatistics, Note
from signalreel.record import Record, encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor, Replayed, engine_at_start
from signalreel.step import Outcome, Step, outcome_of

__all__ = ("SESSION_PREFIX_MIN", "Excerpt", "NothingFound", "excerpt")

SESSION_PREFIX_MIN: Final = 4
"""Characters of a session's id at least that name it: people copy the beginning that they are shown."""

_Node = tuple[str, ...]
"""A session, or one life of a machine."""

_Move = tuple[str, str, str, str, str]


class NothingFound(ValueError):
    """Nothing on the reel goes by any of the names that were asked for."""


class Excerpt(Struct, frozen=True):
    """The reel of what was asked for, and what it was made of."""

    reel: MemoryReel
    kept: tuple[int, ...]  #: the seqs, on the whole reel, of the records in their order
    widened: str = ""  #: `app` or `reel` when more was kept, because less would have gone otherwise


class _Past(Struct, frozen=True):
    """One record of the whole reel, and what it is tied to."""

    record: Record
    nodes: tuple[_Node, ...]
    app: str
    refused: str
    moves: tuple[tuple[_Node, _Move], ...]
    recorded: Outcome | None
    computed: Outcome

    @property
    def is_of_server(self) -> bool:
        """Whether it is about the server as a whole, or what is registered: kept in any case, and ties nothing."""
        record = self.record
        if isinstance(record.host, HostCommand):
            return isinstance(record.host, RegistryCommand)
        return isinstance(record.event, Event) and not record.session and not isinstance(record.event, _OF_A_MACHINE)


_OF_A_MACHINE: Final = (MediaEvent, DeadlineReached)


def excerpt(
    reel: Reel,
    *,
    streams: Collection[str] = (),
    rooms: Collection[str] = (),
    pairs: Collection[str] = (),
    sessions: Collection[str] = (),
    app: str = "",
) -> Excerpt:
    """Give the reel of what goes by any of these names, in one app or in any.

    Raises `NothingFound` when nothing does, `ReelDamaged` when the reel cannot be read to its end.
    """
    ids = {Kind.STREAM: streams, Kind.PLAYBACK: streams, Kind.ROOM: rooms, Kind.PAIR: pairs}
    ties = _Ties()
    past = list(_read(reel, ties))
    wanted = {node for node in ties if _is_wanted(node, ids, sessions, app)}
    if not wanted:
        raise NothingFound("nothing on this reel goes by any of these names")
    roots = {ties.root(node) for node in wanted}
    apps = {one.app for one in past for node in one.nodes if ties.root(node) in roots}
    for widened in ("", "app", "reel"):
        kept = [
            one
            for one in past
            if widened == "reel"
            or (one.app in apps and widened == "app")
            or (one.app in {"", *apps} and one.is_of_server)
            or any(ties.root(node) in roots for node in one.nodes)
        ]
        made = _made(reel, kept, None if widened else {node for node in ties if ties.root(node) in roots})
        if made is not None:
            return Excerpt(made, tuple(one.record.seq for one in kept), widened)
    raise AssertionError("a reel is an excerpt of itself")


def _is_wanted(node: _Node, ids: dict[Kind, Collection[str]], sessions: Collection[str], app: str) -> bool:
    if len(node) == 1:
        whole = set(sessions)
        short = tuple(one for one in sessions if len(one) >= SESSION_PREFIX_MIN)
        return node[0] in whole or (bool(short) and node[0].startswith(short))
    kind, in_app, id, _ = node
    return id.rpartition("/")[2] in ids[Kind(kind)] and app in {"", in_app}


# ---------------------------------------------------------------- what is tied to what


class _Ties:
    """Sets of nodes that belong together, each found by one of its nodes."""

    def __init__(self) -> None:
        self._above: dict[_Node, _Node] = {}

    def __iter__(self) -> Iterator[_Node]:
        return iter(self._above)

    def root(self, node: _Node) -> _Node:
        """Give the node that stands for all that this one is tied to."""
        above = self._above.setdefault(node, node)
        while above != node:
            next = self._above[above]
            self._above[node] = next  # Halves the way for whoever asks again.
            node, above = above, next
        return node

    def tie(self, nodes: Iterable[_Node]) -> None:
        """Put nodes together."""
        first: _Node | None = None
        for node in nodes:
            root = self.root(node)
            if first is None:
                first = root
            elif root != first:
                self._above[root] = first


def _read(reel: Reel, ties: _Ties) -> Iterator[_Past]:
    """Replay the reel, and tie together what each record concerns."""
    cursor = Cursor(reel)
    lives: dict[Key, int] = {}
    for key, machine in cursor.engine.machines():
        lives[key] = machine.born
    for key, machine in cursor.engine.machines():
        ties.tie([_life(key, machine.born), *_held(key, machine, lives)])
    apps = {session.id: session.app for session in cursor.engine.sessions()}
    for replayed in cursor:
        record = replayed.step.record
        if isinstance(record.event, SessionOpened):
            apps[record.session] = record.event.app
        one = _past(replayed, lives, apps)
        if not one.is_of_server:
            ties.tie(one.nodes)
        for transition in replayed.step.transitions:
            about = transition.machine
            if cursor.engine.find(about.kind, about.id, app=about.app) is None:
                lives.pop((about.kind, about.app, about.id), None)
        yield one


def _held(key: Key, machine: AnyMachine, lives: dict[Key, int]) -> Iterator[_Node]:
    for session in machine.sessions:
        yield (session,)
    for id in (machine.watches, machine.waits_for, machine.placed_in):
        yield from _by_id(key[1], id, lives)


def _past(replayed: Replayed, lives: dict[Key, int], apps: dict[str, str]) -> _Past:
    step, record = replayed.step, replayed.step.record
    moves: list[tuple[_Node, _Move]] = []
    computed = outcome_of(step)
    for transition, move in zip(step.transitions, computed.transitions, strict=True):
        about = transition.machine
        lives[about.kind, about.app, about.id] = about.born
        moves.append((_life((about.kind, about.app, about.id), about.born), move))
    app = _app_of(record, apps)
    nodes = dict.fromkeys(_nodes_of(step, app, lives))
    nodes.update(dict.fromkeys(node for node, _ in moves))
    return _Past(record, tuple(nodes), app, step.refused, tuple(moves), replayed.recorded, computed)


def _app_of(record: Record, apps: dict[str, str]) -> str:
    if record.session:
        return apps.get(record.session, "")
    if record.host is not None:
        return apps.get(record.host.session, "") if isinstance(record.host, KickSession) else record.host.app
    return record.event.machine.app if isinstance(record.event, _OF_A_MACHINE) else ""


def _nodes_of(step: Step, app: str, lives: dict[Key, int]) -> Iterator[_Node]:
    record = step.record
    if record.session:
        yield (record.session,)
    if isinstance(record.host, KickSession):
        yield (record.host.session,)
    if isinstance(record.event, _OF_A_MACHINE):
        about = record.event.machine
        yield _life((about.kind, about.app, about.id), about.born)
    for session, _ in step.messages:
        yield (session,)
    for id, fired in step.fired:
        if fired.kind in _KINDS:
            key = (Kind(fired.kind), app, id)
            if key in lives:
                yield _life(key, lives[key])
            yield from _by_id(app, id.rpartition("/")[2], lives)


_KINDS: Final = frozenset(map(str, Kind))


def _by_id(app: str, id: str, lives: dict[Key, int]) -> Iterator[_Node]:
    """Whatever lives under an id: what is refused because of it is tied to it."""
    for kind in (Kind.STREAM, Kind.PAIR, Kind.ROOM):
        born = lives.get((kind, app, id)) if id else None
        if born is not None:
            yield _life((kind, app, id), born)


def _life(key: Key, born: int) -> _Node:
    return (str(key[0]), key[1], key[2], str(born))


# ---------------------------------------------------------------- making it


def _made(reel: Reel, kept: list[_Past], nodes: set[_Node] | None) -> MemoryReel | None:
    """Make the reel of some records; None when what is in it does not go as it went. `nodes` is what is in it."""
    originals = [one.record for one in kept]
    seam = reel.seam
    if seam is not None and nodes is not None:
        seam = pruned_seam(seam, *_in_seam(nodes))
    made = MemoryReel(reel.header, seam=seam, first_seq=reel.first_seq)
    engine = engine_at_start(made)
    for one, record in zip(kept, renumber(originals, reel.first_seq), strict=True):
        try:
            step = engine.apply(record)
        except InvalidRecord:
            return None
        computed = outcome_of(step)
        moves = [move for node, move in one.moves if nodes is None or node in nodes]
        if computed.transitions != moves or (step.refused != one.refused and not one.is_of_server):
            return None
        made.append(record.seq, encode_record(record))
        if one.recorded is not None:
            made.conclude(record.seq, _outcome(one, one.recorded, computed))
    _take_notes(made, reel, numbers_of(originals, reel.first_seq), nodes)
    return made


def _in_seam(nodes: set[_Node]) -> tuple[set[str], set[tuple[str, str, str]]]:
    """Give the sessions and the machines among the nodes, as a seam knows them."""
    lives = {(node[0], node[1], node[2]) for node in nodes if len(node) > 1}
    return {node[0] for node in nodes if len(node) == 1}, lives


def _take_notes(made: MemoryReel, reel: Reel, numbers: dict[int, int], nodes: set[_Node] | None) -> None:
    """Take over the notes of the records and sessions that are kept, with the numbers that these have now."""
    seqs = sorted(numbers)
    for note in reel.notes(reel.first_seq):
        is_in_it = (note.session,) in nodes if note.session and nodes is not None else True
        place = bisect_right(seqs, note.seq)
        if not is_in_it or not place or (not note.session and note.seq not in numbers):
            continue
        body = note.body
        if isinstance(body, MediaStatistics | MediaFailed) and body.machine is not None:
            body = replace(body, machine=_renumbered(body.machine, numbers, reel.first_seq))
        made.note(Note(numbers[seqs[place - 1]], note.time, note.session, body))


def _renumbered(machine: Reference, numbers: dict[int, int], first: int) -> Reference:
    return replace(machine, born=machine.born if machine.born < first else numbers.get(machine.born, NOTHING))


def _outcome(one: _Past, recorded: Outcome, computed: Outcome) -> Outcome:
    """Give what the excerpt causes; where the whole reel recorded something else than today's code gives, that."""
    if recorded.transitions != one.computed.transitions:
        return replace(recorded, state_digest=b"")
    return computed if recorded.digest == one.computed.digest else replace(computed, digest=recorded.digest)
