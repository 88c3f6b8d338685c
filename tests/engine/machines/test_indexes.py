"""What is kept to be found quickly, and follows from the machines."""

from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.indexes import Indexes
from signalreel.machines.shapes import Member, Playback, PlaybackState, Room, RoomState, Stream, StreamState
from signalreel.step import Deadline

STREAM: Key = (Kind.STREAM, "live", "s1")
BLANK = Stream("live", "s1", StreamState.IDLE)
PREPARING = Stream("live", "s1", StreamState.PREPARING, 3, ("a",), 5_000, 3, placed_in="r")
LIVE = Stream("live", "s1", StreamState.BROADCASTING, 3, ("a",), 0, 3, placed_in="r", listed_in="r")
GONE = Stream("live", "s1", StreamState.FINISHED, 3)


def test_a_stream_is_followed_through_its_life() -> None:
    """From the start it is held, counted and placed in its room; while it is live it is listed there; then nothing."""
    indexes = Indexes()
    seen: list[tuple[object, ...]] = []

    def look() -> None:
        seen.append(
            (
                tuple(indexes.held("a")),
                indexes.streams("live"),
                indexes.placed("live", "r"),
                indexes.placed_size("live", "r"),
                indexes.roster("live", "r"),
            )
        )

    indexes.moved(STREAM, BLANK, PREPARING, stored=True, was_stored=False)
    look()
    indexes.moved(STREAM, PREPARING, LIVE, stored=True, was_stored=True)
    look()
    indexes.moved(STREAM, LIVE, GONE, stored=False, was_stored=True)
    look()

    assert seen == [
        ((STREAM,), 1, ["s1"], 1, []),
        ((STREAM,), 1, ["s1"], 1, [("s1", 3)]),
        ((), 0, [], 0, []),
    ]


def test_apps_are_kept_apart() -> None:
    """Contract 1: the same ids in another app are other entries."""
    indexes = Indexes()
    indexes.moved(STREAM, BLANK, LIVE, stored=True, was_stored=False)

    assert indexes.streams("other") == 0
    assert [tuple(indexes.ids(Kind.STREAM, app)) for app in ("live", "other")] == [("s1",), ()]
    assert tuple(indexes.ids(Kind.ROOM, "live")) == ()
    assert indexes.roster("other", "r") == []
    assert indexes.placed("other", "r") == []


def test_what_is_walked_is_walked_in_order() -> None:
    """Contract 8: audiences and rosters come sorted, whichever came first."""
    indexes = Indexes()
    for session in ("c", "a", "b"):
        id = f"{session}/r"
        blank = Playback("live", id, PlaybackState.IDLE)
        playing = Playback("live", id, PlaybackState.PLAYING, 1, (session,), watches="r")
        indexes.moved((Kind.PLAYBACK, "live", id), blank, playing, stored=True, was_stored=False)
    for id in ("s3", "s1", "s2"):
        live = Stream("live", id, StreamState.BROADCASTING, 4, placed_in="r", listed_in="r")
        before = Stream("live", id, StreamState.IDLE)
        indexes.moved((Kind.STREAM, "live", id), before, live, stored=True, was_stored=False)

    assert indexes.audience("live", "r") == ["a/r", "b/r", "c/r"]
    assert indexes.audience_size("live", "r") == 3
    assert indexes.roster("live", "r") == [("s1", 4), ("s2", 4), ("s3", 4)]
    assert indexes.placed("live", "r") == ["s1", "s2", "s3"]


def test_a_room_moves_one_seat_at_a_time() -> None:
    """The one who came and the one who went are found without comparing everyone with everyone."""
    seats = tuple(Member(number, f"session-{number}", f"s{number}", joined=True) for number in range(1, 6))
    room = Room("live", "r", RoomState.OPEN, 1, tuple(seat.session for seat in seats), members=seats)
    key = (Kind.ROOM, "live", "r")
    indexes = Indexes()
    indexes.moved(key, Room("live", "r", RoomState.EMPTY), room, stored=True, was_stored=False)
    held = [tuple(indexes.held(seat.session)) for seat in seats]

    for seat in (seats[2], seats[0], seats[4]):
        after = room.without_seat(seat)
        indexes.moved(key, room, after, stored=True, was_stored=True)
        room = after
    back = room.with_seat(Member(9, "session-3", "s3", joined=True))
    indexes.moved(key, room, back, stored=True, was_stored=True)

    assert held == [(key,)] * 5
    assert [tuple(indexes.held(f"session-{number}")) for number in range(1, 6)] == [(), (key,), (key,), (key,), ()]


def timed(id: str, at: int, timer: int) -> Stream:
    """A stream that wants to be woken."""
    return Stream("live", id, StreamState.PREPARING, timer, (), at, timer)


def test_the_deadline_is_the_earliest_timer_that_is_still_set() -> None:
    """Contract 7: retired timers and those of machines that are gone are passed over."""
    indexes = Indexes()
    machines: dict[Key, AnyMachine] = {}
    for stream in (timed("s1", 5_000, 1), timed("s2", 3_000, 2), timed("s3", 4_000, 3)):
        key = (Kind.STREAM, "live", stream.id)
        machines[key] = stream
        indexes.moved(key, Stream("live", stream.id, StreamState.IDLE), stream, stored=True, was_stored=False)
    assert indexes.deadline(machines) == Deadline(3_000, Reference(Kind.STREAM, "live", "s2", 2), 2)

    del machines[Kind.STREAM, "live", "s2"]
    machines[Kind.STREAM, "live", "s3"] = timed("s3", 9_000, 4)
    indexes.moved(
        (Kind.STREAM, "live", "s3"), timed("s3", 4_000, 3), timed("s3", 9_000, 4), stored=True, was_stored=True
    )

    assert indexes.deadline(machines) == Deadline(5_000, Reference(Kind.STREAM, "live", "s1", 1), 1)
    del machines[Kind.STREAM, "live", "s1"]
    assert indexes.deadline(machines) == Deadline(9_000, Reference(Kind.STREAM, "live", "s3", 4), 4)
    assert indexes.deadline({}) is None
