"""Choosing records of a reel: those of a stream, a session, a time, and so on."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from signalreel.events import SessionClosed, SessionOpened
from signalreel.identifiers import Kind, Reference
from signalreel.machines.context import Session
from signalreel.record import Record, input_name
from signalreel.step import Step

__all__ = ("Choice", "Chooser")


class Choice(Struct, frozen=True):
    """Which records: those that all of this holds for. What is empty holds for every record."""

    stream: str = ""  #: named by the input, moved, or shown by what moved
    room: str = ""
    session: str = ""  #: by the beginning of its id; its own inputs, and what others' inputs had it told
    machine: str = ""  #: `stream/s1`, `pair/p1`, `playback/SESSION/s1` with the beginning of a session, or the id alone
    app: str = ""
    input: str = ""  #: by its name on the reel: `publish`, `SessionClosed`, `closeRoom`
    refused: bool = False
    start: int = 0  #: microseconds of reel time
    end: int | None = None  #: likewise; None: to the end


class Chooser:
    """Follows a replay and says of each step whether it was chosen. `sessions` are those open before the first."""

    def __init__(self, choice: Choice, sessions: Iterable[Session] = ()) -> None:
        self._choice: Final = choice
        self._apps = {session.id: session.app for session in sessions}
        kind, slash, id = choice.machine.partition("/")
        self._kind, self._id = (kind, id) if slash and kind in set(Kind) else ("", choice.machine)

    def takes(self, step: Step) -> bool:
        """Whether this step is one of them. To be asked of every step, in their order."""
        record, choice = step.record, self._choice
        if isinstance(record.event, SessionOpened):
            self._apps[record.session] = record.event.app
        taken = (
            choice.start <= record.time
            and (choice.end is None or record.time <= choice.end)
            and (not choice.refused or bool(step.refused))
            and choice.input in ("", input_name(record))
            and (not choice.app or choice.app in self._apps_of(step))
            and (not choice.session or self._is_of_session(step))
            and (not choice.stream or choice.stream in _streams_of(step))
            and (not choice.room or choice.room in _rooms_of(step))
            and (not choice.machine or self._is_of_machine(step))
        )
        if isinstance(record.event, SessionClosed):
            self._apps.pop(record.session, None)
        return taken

    def _apps_of(self, step: Step) -> set[str]:
        record = step.record
        found = {move.machine.app for move in step.transitions} | {self._apps.get(record.session, "")}
        machine = getattr(record.event, "machine", None)
        found.add(machine.app if isinstance(machine, Reference) else "")
        found.add(getattr(record.host, "app", ""))
        return found

    def _is_of_session(self, step: Step) -> bool:
        prefix = self._choice.session
        return step.record.session.startswith(prefix) or any(to.startswith(prefix) for to, _ in step.messages)

    def _is_of_machine(self, step: Step) -> bool:
        references = [move.machine for move in step.transitions]
        machine = getattr(step.record.event, "machine", None)
        if isinstance(machine, Reference):
            references.append(machine)
        named = [(str(one.kind), one.id) for one in references]
        named += [(fired.kind, id) for id, fired in step.fired]
        return any(self._kind in ("", kind) and self._goes_by(kind, id) for kind, id in named)

    def _goes_by(self, kind: str, id: str) -> bool:
        """Whether an id is the one that was asked for; of the session in a playback's the beginning is enough."""
        session, slash, stream = self._id.partition("/")
        is_short = kind == Kind.PLAYBACK and bool(slash) and id.startswith(session) and id.endswith("/" + stream)
        return id == self._id or is_short


def _streams_of(step: Step) -> set[str]:
    found = {getattr(step.record.input, "stream_id", "")}
    return found | {id.rpartition("/")[2] for kind, id in _machines_of(step) if kind is not Kind.ROOM}


def _rooms_of(step: Step) -> set[str]:
    record: Record = step.record
    found = {getattr(record.input, "room", ""), getattr(record.input, "main_track", "")}
    return found | {id for kind, id in _machines_of(step) if kind is Kind.ROOM}


def _machines_of(step: Step) -> set[tuple[Kind, str]]:
    found = {(move.machine.kind, move.machine.id) for move in step.transitions}
    machine = getattr(step.record.event, "machine", None)
    return found | {(machine.kind, machine.id)} if isinstance(machine, Reference) else found
