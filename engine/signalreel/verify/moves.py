"""What may happen next in a state of a world: by sessions, by media, by the passing of time, by the server's host."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final, cast

from msgspec import Struct
from msgspec.structs import replace

from signalreel.commands import ids_wanted
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaEvent,
    MediaLost,
    ResolutionChanged,
    SessionClosed,
    SessionOpened,
    ShutdownAnnounced,
    Track,
    TracksFound,
)
from signalreel.host import AnyHostCommand, HostCommand, KickSession
from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import AnyMachine, Key, Machine
from signalreel.machines.context import US_PER_MS, Context
from signalreel.record import Record
from signalreel.statehash import Place
from signalreel.verify.branching import Saved
from signalreel.verify.callers import STRANGER, Around, Caller, acts_of
from signalreel.verify.worlds import APP, World

__all__ = ("NEVER_LATE", "Late", "Move", "late_after", "late_form", "moves_of")


class Late(Struct, frozen=True):
    """What has been overtaken and may still come: the last timer that was retired, and the last life that ended."""

    timer: DeadlineReached | None = None
    due: int = 0  #: when that timer would have gone off
    life: Reference | None = None


NEVER_LATE: Final = Late()
"""Nothing has been overtaken."""


class Move(Struct, gc=False):
    """One thing that may happen. Without a record nothing reaches the engine: a client reads, or time passes."""

    record: Record | None
    caller: Caller | None = None  #: what the client that acts is like afterwards
    session: str = ""  #: whose it is
    now: int = 0  #: to which moment time passes


def moves_of(world: World, saved: Saved, now: int, around: Around, late: Late) -> Iterator[Move]:
    """Give everything that may happen in a state, in a fixed order."""
    context, seq = saved.context, saved.seq + 1
    sessions = tuple(saved.sessions)
    if len(sessions) < world.sessions:
        yield Move(Record(seq, now, f"s{seq}", None, SessionOpened(APP)))
    for session in sessions:
        for said in world.says:
            ids = (_drawn(context),) if ids_wanted(said.command) else ()
            yield Move(Record(seq, now, session, said.command, None, None, said.grant, ids))
        if world.calls:
            for command, caller in acts_of(around.get(session, STRANGER), world.calls):
                yield Move(Record(seq, now, session, command) if command is not None else None, caller, session)
        yield Move(Record(seq, now, session, None, SessionClosed()), None, session)
    for input in world.server:
        yield from _orders(input, sessions, seq, now)
    if world.media:
        yield from _reports(world, context, seq, now, late)
    yield from _times(world, context, seq, now, late)


def _drawn(context: Context) -> str:
    """Draw an id as the server does. There none is drawn twice; here one is again once nothing is left of it."""
    taken = {key[2] for key in context.machines}
    return next(id for number in count(1) if (id := f"drawn-{number}") not in taken)


def _orders(input: AnyEvent | AnyHostCommand, sessions: tuple[str, ...], seq: int, now: int) -> Iterator[Move]:
    """What is told to one session may be told to each of them."""
    if isinstance(input, ShutdownAnnounced):
        for session in sessions:
            yield Move(Record(seq, now, session, None, input))
    elif isinstance(input, KickSession):
        for session in sessions:
            yield Move(Record(seq, now, "", None, None, replace(input, session=session)))
    elif isinstance(input, HostCommand):
        yield Move(Record(seq, now, "", None, None, input))
    else:
        yield Move(Record(seq, now, "", None, input))


# ---------------------------------------------------------------- media

_SDP: Final = "v=0"
_TRACKS: Final = (Track("video", "video", "VP8"), Track("audio", "audio", "opus"))

_REPORTS: Final[dict[type[MediaEvent], Callable[[Reference], MediaEvent | None]]] = {
    DescriptionCreated: lambda of: (
        DescriptionCreated(of, "answer", _SDP)
        if of.kind is Kind.STREAM
        else DescriptionCreated(of, "offer", _SDP, {"0": "video"})
    ),
    DescriptionFailed: lambda of: DescriptionFailed(of, "remote"),
    CandidateFound: lambda of: CandidateFound(of, 0, "0", "a candidate"),
    MediaConnected: MediaConnected,
    MediaLost: MediaLost,
    TracksFound: lambda of: TracksFound(of, _TRACKS) if of.kind is Kind.STREAM else None,
    BitrateMeasured: lambda of: BitrateMeasured(of, 1, 1, 1) if of.kind is Kind.PLAYBACK else None,
    ResolutionChanged: lambda of: ResolutionChanged(of, 720) if of.kind is Kind.PLAYBACK else None,
}
"""What media says of a machine, if it says that of its kind."""

_WITH_MEDIA: Final = (Kind.STREAM, Kind.PLAYBACK)


def _reports(world: World, context: Context, seq: int, now: int, late: Late) -> Iterator[Move]:
    """Media may say anything of whatever lives, and, late, of what has ended under an id that lives again."""
    machines = context.machines
    named = [
        Reference(key[0], key[1], key[2], machine.born) for key, machine in machines.items() if key[0] in _WITH_MEDIA
    ]
    if late.life is not None and (late.life.kind, late.life.app, late.life.id) in machines:
        named.append(late.life)
    for reference in named:
        for reported in world.media:
            event = _REPORTS[reported](reference)
            if event is not None:
                yield Move(Record(seq, now, "", None, cast(AnyEvent, event)))


# ---------------------------------------------------------------- time


def _times(world: World, context: Context, seq: int, now: int, late: Late) -> Iterator[Move]:
    """The next timer goes off; or some time passes, but not beyond it; or one that was retired goes off as well."""
    deadline = context.indexes.deadline(context.machines)
    if deadline is not None:
        at = max(now, deadline.at)
        yield Move(Record(seq, at, "", None, DeadlineReached(deadline.machine, deadline.timer)))
        passed = min(at, now + world.wait_ms * US_PER_MS)
        if passed > now:
            yield Move(None, now=passed)
    if late.timer is not None:
        yield Move(Record(seq, max(now, late.due), "", None, late.timer))


def late_after(late: Late, before: Mapping[Place, Struct | None], machines: Mapping[Key, AnyMachine]) -> Late:
    """Say what may still come after a step, from what stood before it at the places that it changed."""
    for place, was in before.items():
        if not isinstance(was, Machine):
            continue
        key = cast(Key, place)
        now = machines.get(key)
        reference = Reference(key[0], key[1], key[2], was.born)
        if was.wake_at and (now is None or now.timer != was.timer or not now.wake_at):
            late = replace(late, timer=DeadlineReached(reference, was.timer), due=was.wake_at)
        if now is None and key[0] in _WITH_MEDIA:
            late = replace(late, life=reference)
    return late


def late_form(late: Late, machines: Mapping[Key, AnyMachine]) -> tuple[dict[str, list[Any]], list[Any]]:
    """Give what may still come without seqs, and apart from the rest what is about the playback of a session."""
    of_sessions: dict[str, list[Any]] = {}
    rest: list[Any] = []
    timer = late.timer
    for what, reference in (("timer", timer.machine if timer is not None else None), ("life", late.life)):
        if reference is None:
            continue
        now = machines.get((reference.kind, reference.app, reference.id))
        lives = (now is not None, now is not None and now.born == reference.born)
        if reference.kind is Kind.PLAYBACK:
            session, _, id = reference.id.partition("/")
            of_sessions.setdefault(session, []).append((what, id, lives))
        else:
            rest.append((what, reference.kind, reference.id, lives))
    return of_sessions, rest
