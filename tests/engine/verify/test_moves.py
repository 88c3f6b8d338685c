"""`signalreel.verify.moves`: what may happen next."""

from msgspec.structs import replace

from signalreel.commands import Publish, Stop
from signalreel.events import (
    BitrateMeasured,
    DeadlineReached,
    MediaConnected,
    RunStarted,
    SessionClosed,
    SessionOpened,
    ShutdownAnnounced,
)
from signalreel.host import EndStream, KickSession
from signalreel.identifiers import Kind, Reference
from signalreel.record import Record
from signalreel.settings import Settings
from signalreel.verify.branching import Branching
from signalreel.verify.moves import NEVER_LATE, Late, late_after, late_form, moves_of
from signalreel.verify.worlds import APP, Said, World

WORLD = World(
    "small",
    "stream",
    "One stream.",
    (Said(Publish("s")),),
    sessions=1,
    media=(MediaConnected, BitrateMeasured),
    server=(ShutdownAnnounced(), RunStarted(), KickSession(), EndStream(app=APP, stream_id="s")),
    wait_ms=2_000,
)


def published() -> Branching:
    """A session that has begun to publish."""
    engine = Branching(Settings())
    for record in (Record(1, 0, "s1", event=SessionOpened(APP)), Record(2, 0, "s1", Publish("s"))):
        engine.attempt(record)
        engine.keep()
    return engine


def test_everything_in_a_world_may_happen() -> None:
    """What sessions say, that they close, what the server does to each, what media reports, that time passes."""
    engine = published()
    moves = list(moves_of(WORLD, engine.save(), 0, {}, NEVER_LATE))
    inputs = [move.record.input for move in moves if move.record is not None]

    assert [type(input) for input in inputs] == [
        Publish,
        SessionClosed,
        ShutdownAnnounced,
        RunStarted,
        KickSession,
        EndStream,
        MediaConnected,
        DeadlineReached,
    ]
    assert [move.now for move in moves if move.record is None] == [2_000_000]
    assert {move.record.seq for move in moves if move.record is not None} == {3}
    assert inputs[4] == KickSession(session="s1")


def test_sessions_come_as_long_as_there_is_room() -> None:
    """Each under a name of its own."""
    engine = published()
    moves = moves_of(replace(WORLD, sessions=2), engine.save(), 0, {}, NEVER_LATE)
    record = next(moves).record

    assert record == Record(3, 0, "s3", event=SessionOpened(APP))


def test_time_does_not_pass_beyond_the_next_timer() -> None:
    """It goes off first, at its time or late."""
    engine = published()
    moves = list(moves_of(WORLD, engine.save(), 4_000_000, {}, NEVER_LATE))

    assert [move.now for move in moves if move.record is None] == [5_000_000]
    assert [move for move in moves_of(WORLD, engine.save(), 5_000_000, {}, NEVER_LATE) if move.record is None] == []


def test_what_was_overtaken_may_still_come() -> None:
    """The timer of a stream that has ended, and what media says of it, once its id lives again."""
    engine = published()
    saved = engine.save()
    engine.attempt(Record(3, 0, "s1", Stop("s")))
    late = late_after(NEVER_LATE, engine.before, engine.context.machines)
    engine.keep()
    former = Reference(Kind.STREAM, APP, "s", 2)
    assert late == Late(DeadlineReached(former, 2), 5_000_000, former)
    assert late_form(late, engine.context.machines)[1] != late_form(late, saved.context.machines)[1]

    engine.attempt(Record(4, 0, "s1", Publish("s")))
    engine.keep()
    events = [move.record.event for move in moves_of(WORLD, engine.save(), 0, {}, late) if move.record is not None]
    assert late.timer in events
    assert MediaConnected(former) in events


def test_what_was_overtaken_of_a_session_is_told_without_its_name() -> None:
    """It belongs to whatever else there is about that session."""
    playback = Reference(Kind.PLAYBACK, APP, "s1/s", 2)
    of_sessions, rest = late_form(Late(life=playback), {})

    assert rest == []
    assert of_sessions == {"s1": [("life", "s", (False, False))]}
