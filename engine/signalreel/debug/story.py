"""What a viewer is told of one record, as data for a page: the input, the rows that fired, and what came of it.

Everything here may be shown to whoever may read the reel: no description, candidate, address or token is in it, and
every text is printable. It still names sessions, streams and rooms; a reel that is to be shared is redacted first.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from signalreel.debug.rows import transition_inputs
from signalreel.debug.state import Watch, plain
from signalreel.debug.telling import printable, told_message, told_names
from signalreel.engine import Engine
from signalreel.errors import Divergence
from signalreel.events import DeadlineReached, MediaEvent, SessionClosed, SessionOpened
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Room
from signalreel.record import Record, input_name
from signalreel.step import Step

__all__ = (
    "BRANCHES_MAX",
    "LISTED_MAX",
    "NAME_SHOWN_MAX",
    "VALUE_SHOWN_MAX",
    "ToldChange",
    "ToldDivergence",
    "ToldMessage",
    "ToldNote",
    "ToldRecord",
    "ToldRow",
    "ToldState",
    "ToldTransition",
    "origin_of",
    "told_changes",
    "told_name",
    "told_record",
    "told_tree",
)

LISTED_MAX: Final = 200
"""Most rows, transitions or messages of one record that are told. A room that closes has one for each member."""

NAME_SHOWN_MAX: Final = 300
"""Characters of a name that are told; any name that the server accepts is shorter."""

VALUE_SHOWN_MAX: Final = 2_000
"""Characters of what was recorded or computed that are told of a divergence."""

BRANCHES_MAX: Final = 30
"""Most entries of one list or branch of the state that are told."""

_KINDS: Final = frozenset(map(str, Kind))


class ToldRow(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A row that fired, in which machine."""

    machine: str  #: its id; empty when the input concerned none
    kind: str
    state: str
    input: str
    row: int
    what: str


class ToldTransition(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A machine went from a state to a state, which may be the same."""

    kind: str
    app: str
    id: str
    born: int
    source: str
    target: str
    input: str = ""  #: the input or notice of the row behind it


class ToldMessage(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A message to a session, by its name and what it is about."""

    session: str
    what: str


class ToldNote(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What was noted beside a record: delivered, dropped, closed, failed, measured."""

    what: str
    session: str = ""
    time: int = 0  #: microseconds of reel time


class ToldChange(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One value of the state that is another one after the record; `before` or `after` is left out where nothing is."""

    path: tuple[str, ...]  #: where in the tree of the state: `stream`, `live/s1`, `state`
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class ToldState(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A machine as it is after a record that changed it."""

    kind: str
    app: str
    id: str
    fields: Any


class ToldDivergence(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What was recorded and what comes of it with the code in hand."""

    what: str
    recorded: str
    computed: str


class ToldRecord(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One record and everything it caused."""

    seq: int
    time: int  #: microseconds of reel time
    origin: str  #: who put it on the reel: `client`, `media`, `clock`, `host` or `server`
    session: str  #: whose input it is; empty for the server's own
    input: str
    about: tuple[str, ...] = ()  #: what the input names
    refused: str = ""  #: the definition, when it was refused
    rows: tuple[ToldRow, ...] = ()
    transitions: tuple[ToldTransition, ...] = ()
    messages: tuple[ToldMessage, ...] = ()
    notes: tuple[ToldNote, ...] = ()
    changes: tuple[ToldChange, ...] = ()
    states: tuple[ToldState, ...] = ()  #: of the machines that changed
    divergence: ToldDivergence | None = None
    left_out: int = 0  #: how many rows, transitions and messages there are besides, over the limit of each


def told_name(text: str, characters: int = NAME_SHOWN_MAX) -> str:
    """Give a text of a reel printable, and no longer than is shown: a client may have sent one of any length."""
    return printable(text if len(text) <= characters else f"{text[:characters]}…")


def origin_of(record: Record) -> str:
    """Say who put a record on the reel."""
    event = record.event
    if record.host is not None:
        return "host"
    if event is None or isinstance(event, SessionOpened | SessionClosed):
        return "client"
    if isinstance(event, DeadlineReached):
        return "clock"
    return "media" if isinstance(event, MediaEvent) else "server"


def told_record(
    step: Step,
    divergence: Divergence | None = None,
    *,
    notes: Sequence[ToldNote] = (),
    changes: Sequence[ToldChange] = (),
    states: Sequence[ToldState] = (),
) -> ToldRecord:
    """Tell one record; notes, changes and states are told by whoever has them."""
    record = step.record
    counts = (len(step.fired), len(step.transitions), len(step.messages))
    return ToldRecord(
        record.seq,
        record.time,
        origin_of(record),
        told_name(record.session),
        input_name(record),
        tuple(map(told_name, told_names(record.input))),
        told_name(step.refused),
        tuple(
            ToldRow(told_name(machine), fired.kind, fired.state, fired.input, fired.row, fired.what)
            for machine, fired in step.fired[:LISTED_MAX]
        ),
        _told_transitions(step),
        tuple(
            ToldMessage(told_name(session), told_name(told_message(message)))
            for session, message in step.messages[:LISTED_MAX]
        ),
        tuple(notes),
        tuple(changes),
        tuple(states),
        _told_divergence(divergence),
        sum(max(0, count - LISTED_MAX) for count in counts),
    )


def told_changes(watch: Watch, engine: Engine) -> tuple[tuple[ToldChange, ...], tuple[ToldState, ...]]:
    """Tell what has changed since a watch was last asked, and the machines that did as they are now."""
    changes = watch.changes()
    machines = {change.path[:2]: None for change in changes if change.path[0] in _KINDS}
    told = tuple(
        ToldChange(tuple(map(told_name, change.path)), told_tree(change.before), told_tree(change.after))
        for change in changes[:LISTED_MAX]
    )
    return told, tuple(state for place in list(machines)[:LISTED_MAX] for state in _told_states(engine, place))


def told_tree(tree: object) -> Any:  # noqa: ANN401 -- whatever data there is
    """Give a tree of the state with printable texts, and of long lists the beginning and how much more there is."""
    if isinstance(tree, str):
        return printable(tree)
    if isinstance(tree, dict):
        found = cast(dict[str, object], tree)
        shown = {told_name(name): told_tree(found[name]) for name in list(found)[:BRANCHES_MAX]}
        return shown if len(found) <= BRANCHES_MAX else {**shown, "…": f"{len(found) - BRANCHES_MAX} more"}
    if isinstance(tree, list):
        values = cast(list[object], tree)
        listed = [told_tree(each) for each in values[:BRANCHES_MAX]]
        return listed if len(values) <= BRANCHES_MAX else [*listed, f"… {len(values) - BRANCHES_MAX} more"]
    return tree


def _told_states(engine: Engine, place: tuple[str, ...]) -> Iterator[ToldState]:
    app, _, id = place[1].partition("/")
    machine = engine.find(Kind(place[0]), id, app=app)
    if machine is None:
        return
    if isinstance(machine, Room) and len(machine.members) > BRANCHES_MAX:  # Telling a thousand to show a few is slow.
        counted = {"members": {"…": f"{len(machine.members)} members"}}
        yield ToldState(
            place[0], told_name(app), told_name(id), {**told_tree(plain(replace(machine, members=()))), **counted}
        )
        return
    yield ToldState(place[0], told_name(app), told_name(id), told_tree(plain(machine)))


def _told_transitions(step: Step) -> tuple[ToldTransition, ...]:
    return tuple(
        ToldTransition(
            str(made.machine.kind),
            told_name(made.machine.app),
            told_name(made.machine.id),
            made.machine.born,
            str(made.source),
            str(made.target),
            input,
        )
        for made, input in zip(step.transitions[:LISTED_MAX], transition_inputs(step), strict=False)
    )


def _told_divergence(divergence: Divergence | None) -> ToldDivergence | None:
    if divergence is None:
        return None
    return ToldDivergence(
        divergence.what,
        told_name(divergence.recorded, VALUE_SHOWN_MAX),
        told_name(divergence.computed, VALUE_SHOWN_MAX),
    )
