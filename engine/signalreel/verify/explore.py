"""Every state of a small world, breadth first, over the engine itself: no model of it, and no sample of its runs.

    explored = explore(WORLDS["pair"])
    print(explored.states, explored.found)

From each state everything is tried that may happen in the world. Each step is held against the invariants, and leads to
a state that was seen or to a new one, which is held against them whole. Breadth first, so the way to what is found is
as short as any. Where the search ends before everything was tried, the states that it has not gone on from are at least
closed: all sessions go, all timers go off, and nothing may be left.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from signalreel.events import DeadlineReached, SessionClosed
from signalreel.header import Header
from signalreel.messages import Description
from signalreel.record import Record
from signalreel.step import Deadline, Fired, Step
from signalreel.verify.branching import Branching, Saved
from signalreel.verify.callers import STRANGER, Around, Unread, after, answers_older, unread_most
from signalreel.verify.canonical import Form, form_of, key_of
from signalreel.verify.catalogue import Violation
from signalreel.verify.invariants import violations_in, violations_of
from signalreel.verify.moves import NEVER_LATE, Late, Move, late_after, late_form, moves_of
from signalreel.verify.moving import Memory
from signalreel.verify.worlds import World

__all__ = ("Explored", "Found", "Progress", "explore")

_TELL_EVERY: Final = 512
"""States gone on from between two tellings of how far it is."""

Progress = Callable[[int, int, int], None]
"""Is told how many states and edges were seen so far, and how deep the search is."""


class Found(Struct, frozen=True):
    """An invariant that does not hold, and the shortest way to where it does not."""

    violation: Violation
    header: Header
    records: tuple[Record, ...]


class Explored(Struct, frozen=True):
    """What a search has seen of a world."""

    world: World
    states: int  #: that are not the same in canonical form, the first one included
    edges: int  #: everything that was tried in them
    depth: int  #: of the deepest state that was gone on from
    is_complete: bool  #: whether there is nothing in this world that was not tried
    found: tuple[Found, ...]  #: empty, or the first
    fired: frozenset[Fired]  #: the rows of the tables that fired


class _Node(Struct, gc=False):
    """A state, and how it was come to. Nodes share what a move has not changed."""

    parent: "_Node | None"
    record: Record | None
    saved: Saved
    form: Form
    memory: Memory
    now: int
    around: Around
    late: Late


def explore(world: World, *, tell: Progress | None = None) -> Explored:
    """Search a world, until something is found, everything was tried, or its bounds are reached."""
    return _Search(world, tell).run()


class _Search:
    def __init__(self, world: World, tell: Progress | None) -> None:
        self._world = world
        self._tell = tell
        self._engine = Branching(world.settings)
        self._seen: set[bytes] = set()
        self._fired: set[Fired] = set()
        self._edges = 0
        self._depth = 0
        self._found: list[Found] = []

    def run(self) -> Explored:
        world, engine, memory = self._world, self._engine, Memory(self._engine)
        form = form_of(engine.context, engine.open, memory, 0, with_server=bool(world.server))
        self._seen.add(key_of(form, {}, None))
        todo = [_Node(None, None, engine.save(), form, memory, 0, {}, NEVER_LATE)]
        while todo and self._depth < world.depth and not self._is_over:
            todo = self._level(todo)
            self._depth += 1
        if not self._found:
            self._close(todo)
        return Explored(
            world,
            len(self._seen),
            self._edges,
            self._depth,
            not todo and not self._found,
            tuple(self._found),
            frozenset(self._fired),
        )

    @property
    def _is_over(self) -> bool:
        return bool(self._found) or len(self._seen) >= self._world.states

    def _level(self, todo: list[_Node]) -> list[_Node]:
        """Go on from every state of one depth; give the new ones. Those that were not got to stay among them."""
        following: list[_Node] = []
        for place, node in enumerate(todo):
            if self._tell is not None and place % _TELL_EVERY == 0:
                self._tell(len(self._seen), self._edges, self._depth)
            self._engine.resume(node.saved)
            for move in moves_of(self._world, node.saved, node.now, node.around, node.late):
                new = self._try(node, move)
                if new is not None:
                    following.append(new)
                if self._is_over:
                    return [*todo[place:], *following]
        return following

    def _try(self, node: _Node, move: Move) -> _Node | None:
        """Make a move, look at what it leads to, and take it back; give the state when it is new."""
        self._edges += 1
        if move.record is None:
            return self._pass(node, move)
        engine = self._engine
        step = engine.attempt(move.record)
        try:
            return self._follow(node, move, step)
        finally:
            engine.undo()

    def _pass(self, node: _Node, move: Move) -> _Node | None:
        """A client reads something to which it says nothing, or time passes: the engine does not hear of it."""
        form, now, around = node.form, move.now or node.now, node.around
        if move.caller is not None:
            around = {**around, move.session: move.caller}
        else:
            form = self._form(node.memory, now)
        if not self._is_new(form, around, node.late):
            return None
        return _Node(node, None, node.saved, form, node.memory, now, around, node.late)

    def _follow(self, node: _Node, move: Move, step: Step) -> _Node | None:
        engine, record = self._engine, step.record
        before, memory, around, late = engine.before, node.memory, node.around, node.late
        for _, fired in step.fired:
            self._fired.add(fired)
        if before or step.messages:
            memory = memory.branch()
        wrong = violations_in(engine, memory, before, step)
        if self._world.calls:
            if move.caller is not None:
                wrong += _stale(around.get(move.session, STRANGER).inbox, step)
            around = after(around, move.session, move.caller, step.messages, engine.open)
            if unread_most(around) > self._world.unread_max:
                return None
        if self._world.is_late:
            late = late_after(late, before, engine.context.machines)
            if record.event is late.timer:
                late = Late(life=late.life)
        has_changed = engine.has_changed or record.time != node.now
        form = self._form(memory, record.time) if has_changed else node.form
        if not wrong and self._is_new(form, around, late):
            wrong = [*violations_of(engine), *self._left_over(step.deadline)]
            if not wrong:
                return _Node(node, record, engine.save(), form, memory, record.time, around, late)
        if wrong:
            self._found.append(self._told(wrong[0], node, [record]))
        return None

    # ---- nothing may be left

    def _close(self, nodes: list[_Node]) -> None:
        """Close everything in states that the search has not gone on from; it has tried to in all others."""
        engine = self._engine
        # What is on its way to clients does not matter here, so states that differ in that alone are closed once.
        differing = {key_of(node.form, {}, None): node for node in reversed(nodes)}
        for node in differing.values():
            engine.resume(node.saved)
            records: list[Record] = []
            for session in tuple(engine.open):
                records.append(Record(engine.seq + 1, node.now, session, None, SessionClosed()))
                engine.attempt(records[-1])
                engine.keep()
            while (deadline := engine.deadline()) is not None:
                at = max(deadline.at, engine.time, node.now)
                records.append(Record(engine.seq + 1, at, "", None, DeadlineReached(deadline.machine, deadline.timer)))
                engine.attempt(records[-1])
                engine.keep()
            wrong = self._left_over(None)
            if wrong:
                self._found.append(self._told(wrong[0], node, records))
                return

    def _left_over(self, deadline: Deadline | None) -> list[Violation]:
        """What there still is when no session is open and no timer is set, nothing will ever end."""
        engine = self._engine
        if engine.open or deadline is not None or not engine.context.machines:
            return []
        kind, app, id = min(engine.context.machines)
        told = "it is left when every session has closed and every timer has gone off"
        return [Violation("nothing-outlives-its-owner", engine.seq, f"{kind} {app}/{id}", told)]

    def _told(self, violation: Violation, node: _Node, records: list[Record]) -> Found:
        way: list[Record] = []
        at: _Node | None = node
        while at is not None:
            if at.record is not None:
                way.append(at.record)
            at = at.parent
        return Found(violation, Header(self._world.settings), (*reversed(way), *records))

    def _form(self, memory: Memory, now: int) -> Form:
        engine = self._engine
        return form_of(engine.context, engine.open, memory, now, with_server=bool(self._world.server))

    def _is_new(self, form: Form, around: Around, late: Late) -> bool:
        if self._world.is_late:
            of_sessions, rest = late_form(late, self._engine.context.machines)
            key = key_of(form, of_sessions, rest)
        else:
            key = key_of(form, around, None)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _stale(inbox: Unread, step: Step) -> list[Violation]:
    """An answer to an offer that another one has replaced may be relayed to nobody."""
    command = step.record.command
    if not answers_older(inbox, command) or not any(type(message) is Description for _, message in step.messages):
        return []
    told = "the answer to an offer that was replaced was relayed"
    return [Violation("newest-answer", step.record.seq, f"pair {getattr(command, 'stream_id', '')}", told)]
