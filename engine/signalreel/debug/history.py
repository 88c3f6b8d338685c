"""What a reader of a reel remembers: who held what since when, and which record last changed the surroundings.

A history follows a replay step by step, at the cost of what each step moved. It is what sentences are made of. Of a
reel that begins at a seam it knows what stood there, though not since which record.
"""

from typing import Final

from msgspec import Struct

from signalreel.debug.telling import printable, short_session
from signalreel.engine import TABLES, Engine
from signalreel.events import DeadlineReached, DescriptionFailed, MediaLost, RunStarted, SessionClosed, SessionOpened
from signalreel.host import RegistryCommand
from signalreel.identifiers import Kind, Reference
from signalreel.record import Record, input_name
from signalreel.step import Step, Transition

__all__ = ("History", "Life", "ended_here", "origin_told")


class Life:
    """One life of one machine."""

    __slots__ = ("began", "ended", "reference", "since", "states", "why")

    def __init__(self, reference: Reference, began: int) -> None:
        self.reference: Final = reference
        self.began: Final = began
        self.states: list[str] = []  #: in the order in which it came to them
        self.since = began  #: seq of the record by which it came to the last of them; 0: it was so at the seam
        self.ended = 0  #: seq of the record that ended it; 0: it lives
        self.why = ""


class _Session(Struct):
    """An attachment."""

    app: str
    opened: int
    closed: int = 0
    code: int = 0


class History:
    """What happened so far, to the engine that is replayed: as it is now, before the first record."""

    def __init__(self, engine: Engine) -> None:
        self._first: Final = engine.seq + 1
        self._lives: dict[tuple[Kind, str, str], list[Life]] = {}
        self._sessions: dict[str, _Session] = {}
        self._last: dict[str, int] = {}
        self._orders: dict[str, int] = {}
        self._used: dict[str, int] = {}
        self._stood(engine)

    def _stood(self, engine: Engine) -> None:
        """Remember what stands at the seam."""
        for session in engine.sessions():
            self._sessions[session.id] = _Session(session.app, 0)
        for (kind, app, id), machine in engine.machines():
            life = Life(Reference(kind, app, id, machine.born), machine.born)
            life.states.append(str(machine.state))
            life.since = 0
            self._lives[kind, app, id] = [life]
        for used in engine.snapshot().used:
            self._used[used.tag] = 0

    def follow(self, step: Step) -> None:
        """Take a step in, each of them once and in their order."""
        record = step.record
        event = record.event
        if isinstance(event, SessionOpened):
            self._sessions.setdefault(record.session, _Session(event.app, record.seq))
        elif isinstance(event, SessionClosed):
            session = self._sessions.get(record.session)
            if session is not None and not session.closed:
                session.closed, session.code = record.seq, event.code
        if record.grant is not None and record.grant.once and not step.refused:
            self._used[record.grant.once] = record.seq
        if isinstance(record.host, RegistryCommand) and not step.refused:
            for text in _texts(record.host):
                self._orders[text] = record.seq
        self._last[input_name(record)] = record.seq
        for transition in step.transitions:
            self._move(transition, record)

    def _move(self, transition: Transition, record: Record) -> None:
        reference = transition.machine
        lives = self._lives.setdefault((reference.kind, reference.app, reference.id), [])
        if not lives or lives[-1].reference.born != reference.born:
            lives.append(Life(reference, record.seq))
        life = lives[-1]
        if not life.states or life.states[-1] != transition.target:
            life.states.append(str(transition.target))
            life.since = record.seq
        if ended_here(transition):
            life.ended, life.why = record.seq, origin_told(record)

    def last(self, kind: Kind, app: str, id: str) -> Life | None:
        """The last life under an id so far."""
        lives = self._lives.get((kind, app, id))
        return lives[-1] if lives else None

    def session_told(self, id: str) -> str:
        """Tell a session, and whether it has closed."""
        session = self._sessions.get(id)
        closed = f"closed at {session.closed} with {session.code}" if session is not None and session.closed else ""
        return f"session {short_session(id)} ({closed or 'no close seen'})"

    def app_of(self, id: str) -> str:
        """The app of a session, also of one that has closed."""
        session = self._sessions.get(id)
        return session.app if session is not None else ""

    def state_since(self, life: Life) -> str:
        """Tell since when a machine is in the state that it is in."""
        return f"since record {life.since}" if life.since else f"since before record {self._first}"

    def since(self, name: str) -> str:
        """Tell which record last brought an input, or that the reel began so."""
        seq = self._last.get(name, 0)
        return f"since record {seq}" if seq else "since the reel began"

    def ordered(self, *texts: str) -> str:
        """Tell which record last registered something under one of these names."""
        seq = max((self._orders.get(text, 0) for text in texts if text), default=0)
        return f" (ordered at {seq})" if seq else ""

    def used_at(self, tag: str) -> str:
        """Tell which record used a one-time token; nothing when none did."""
        seq = self._used.get(tag)
        if seq is None:
            return ""
        return f"at record {seq}" if seq else f"before record {self._first}"


def ended_here(transition: Transition) -> bool:
    """Whether a transition ends its machine."""
    return transition.target in TABLES[transition.machine.kind].finals


def origin_told(record: Record) -> str:
    """Tell in a clause what a record is."""
    event, host = record.event, record.host
    who = f"session {short_session(record.session)}"
    match event:
        case SessionClosed(code, reason):
            return f"{who} closed with {code}{f' ({printable(reason)})' if reason else ''}"
        case SessionOpened():
            return f"{who} opened"
        case DeadlineReached(timer=timer):
            return f"the deadline was reached that record {timer} had set"
        case MediaLost(reason=reason, silent=silent):
            why = f": {printable(reason)}" if reason else ""
            return f"nothing came any more{why}" if silent else f"media was lost{why}"
        case DescriptionFailed(side=side, reason=reason):
            failed = "take the client's description" if side == "remote" else "make its own description"
            return f"media could not {failed}{f': {printable(reason)}' if reason else ''}"
        case RunStarted():
            return "a new run began, and the one before left this open"
        case None:
            pass
        case _:
            return f"{input_name(record)} was reported"
    if host is not None:
        return f"the host ordered {input_name(record)}{f', by {printable(host.actor)}' if host.actor else ''}"
    return f"{who} said {input_name(record)}"


def _texts(order: Struct) -> list[str]:
    """The texts of an order, and of what it registers."""
    found: list[str] = []
    for field in order.__struct_fields__:
        value = getattr(order, field)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Struct):
            found += _texts(value)
    return [text for text in found if text]
