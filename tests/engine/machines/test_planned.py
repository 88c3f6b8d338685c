"""What is registered, held against what is asked."""

import pytest
from msgspec.structs import replace

from signalreel.commands import JoinRoom, Play, Publish, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import ClockAdjusted
from signalreel.host import RegisterRoom, RegisterStream
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Stream
from signalreel.record import Grant
from signalreel.refusals import (
    MAIN_TRACK_IS_FULL,
    NO_ENCODER_SETTINGS,
    NO_STREAM_EXIST,
    NOT_ALLOWED_UNREGISTERED_STREAMS,
    ROOM_NOT_ACTIVE_OR_EXPIRED,
    STREAM_ID_IN_USE,
    STREAM_NOT_ACTIVE_OR_EXPIRED,
    UNAUTHORIZED_ACCESS,
    VIEWER_LIMIT_REACHED,
)
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel.settings import Rung, Settings
from signalreel.step import PublishTerms
from tests.engine.world import APP, World, refusal, told

S = 1_000_000
DAY = 1_700_000_000
STREAMS_ONLY = Settings(registered_streams_only=True)
ROOMS_ONLY = Settings(registered_rooms_only=True)
LADDER = (Rung(360, 500_000),)


def world_of(*registered: RegisteredStream | RegisteredRoom, settings: Settings | None = None) -> World:
    """A world in which these are registered, at the second before `DAY` and 900 ms later."""
    world = World(settings)
    world.engine = Engine(world.initial_settings, started_at=DAY * S)
    world.open("ann", "ben", "cid")
    for one in registered:
        if isinstance(one, RegisteredStream):
            world.order(RegisterStream(app=APP, stream=one))
        else:
            world.order(RegisterRoom(app=APP, room=one))
    return world


def at(world: World, seconds: int) -> None:
    """Have the next record stand exactly so many seconds after `DAY`."""
    world.now = seconds * S - 1_000


# ---------------------------------------------------------------- who must be registered


@pytest.mark.parametrize(
    ("registered", "publish", "refused"),
    [
        ((), Publish("s1"), True),
        ((RegisteredStream("s1"),), Publish("s1"), False),
        ((RegisteredStream("s2"),), Publish("s1"), True),
        ((RegisteredRoom("r"),), Publish("s1", main_track="r"), False),
        ((RegisteredStream("r"),), Publish("s1", main_track="r"), False),
        ((RegisteredRoom("other"),), Publish("s1", main_track="r"), True),
    ],
)
def test_only_registered_streams(
    registered: tuple[RegisteredStream | RegisteredRoom, ...], publish: Publish, refused: bool
) -> None:
    """A stream is registered by itself, or published in a room that is; else it is refused, by this name."""
    world = world_of(*registered, settings=STREAMS_ONLY)

    step = world.say("ann", publish)

    assert step.refused == (NOT_ALLOWED_UNREGISTERED_STREAMS.definition if refused else "")
    if refused:
        assert told(step, "ann") == [refusal(NOT_ALLOWED_UNREGISTERED_STREAMS, stream_id="s1")]


def test_a_member_of_a_registered_room_publishes_under_the_id_it_was_given() -> None:
    """The id was drawn by the room, so nobody can have registered it."""
    world = world_of(RegisteredRoom("r"), settings=STREAMS_ONLY)
    world.say("ann", JoinRoom("r", "drawn"))

    assert world.say("ann", Publish("drawn")).refused == ""
    assert world.say("ben", Publish("other")).refused == NOT_ALLOWED_UNREGISTERED_STREAMS.definition


def test_only_registered_rooms() -> None:
    """Neither joined nor published in, and not made by playing it, when it is not registered."""
    world = world_of(RegisteredRoom("r"), RegisteredStream("main"), settings=ROOMS_ONLY)

    assert [world.say("ann", JoinRoom(room)).refused for room in ("r", "main", "x")] == [
        "",
        "",
        NOT_ALLOWED_UNREGISTERED_STREAMS.definition,
    ]
    assert world.say("ben", Publish("s1", main_track="x")).refused == NOT_ALLOWED_UNREGISTERED_STREAMS.definition
    assert world.say("cid", Play("x", room="x")).refused == NO_STREAM_EXIST.definition
    assert world.say("ben", Publish("s1", main_track="r")).refused == ""
    assert world.say("cid", Play("r", room="r")).refused == ""


# ---------------------------------------------------------------- planned times


@pytest.mark.parametrize(
    ("second", "refused", "retry_after_ms"),
    [(9, True, 1_000), (10, False, 0), (20, False, 0), (21, True, 0)],
)
def test_a_stream_is_published_in_its_time(second: int, refused: bool, retry_after_ms: int) -> None:
    """From the second it begins to the second it ends; before it, the client learns how long it has to wait."""
    world = world_of(RegisteredStream("s1", planned_start=DAY + 10, planned_end=DAY + 20))
    at(world, second)

    step = world.say("ann", Publish("s1"))

    expected = refusal(STREAM_NOT_ACTIVE_OR_EXPIRED, stream_id="s1", retry_after_ms=retry_after_ms)
    assert (step.refused != "") is refused
    assert not refused or told(step, "ann") == [expected]


@pytest.mark.parametrize(("second", "refused"), [(4, False), (5, False), (6, True)])
def test_a_stream_expires_after_its_creation(second: int, refused: bool) -> None:
    """`expire_ms` counts from when it was registered."""
    world = world_of(RegisteredStream("s1", created_at=DAY * 1_000, expire_ms=5_000))
    at(world, second)

    step = world.say("ann", Publish("s1"))

    assert step.refused == (STREAM_NOT_ACTIVE_OR_EXPIRED.definition if refused else "")


def test_the_clock_may_be_set() -> None:
    """What the runtime reports of the wall clock counts from then on."""
    world = world_of(RegisteredStream("s1", planned_start=DAY + 3_600))

    early = world.say("ann", Publish("s1"))
    world.report(ClockAdjusted((DAY + 3_600) * S))

    assert (early.refused, world.say("ann", Publish("s1")).refused) == (STREAM_NOT_ACTIVE_OR_EXPIRED.definition, "")


@pytest.mark.parametrize(
    ("second", "definition", "retry_after_ms"),
    [
        (9, STREAM_NOT_ACTIVE_OR_EXPIRED, 1_000),
        (15, NO_STREAM_EXIST, 0),
        (21, STREAM_NOT_ACTIVE_OR_EXPIRED, 0),
    ],
)
def test_a_registered_stream_that_is_not_live_is_refused_by_its_time(
    second: int, definition: object, retry_after_ms: int
) -> None:
    """It exists, so whoever plays it outside of its time is told so; in its time it is only not live."""
    world = world_of(RegisteredStream("s1", planned_start=DAY + 10, planned_end=DAY + 20))
    at(world, second)

    step = world.say("ben", Play("s1"))

    assert told(step, "ben") == [refusal(definition, stream_id="s1", retry_after_ms=retry_after_ms)]  # type: ignore[arg-type]


def test_a_live_stream_is_not_played_after_its_end() -> None:
    """What is live goes on for those who play it; nobody else comes in."""
    world = world_of(RegisteredStream("s1", planned_end=DAY + 20))
    world.publish("ann", "s1")
    world.play("ben", "s1")
    at(world, 21)

    assert world.say("cid", Play("s1")).refused == STREAM_NOT_ACTIVE_OR_EXPIRED.definition
    assert world.state(Kind.PLAYBACK, "ben/s1") == "playing"


@pytest.mark.parametrize(
    ("second", "refused", "retry_after_ms"),
    [(9, True, 1_000), (10, False, 0), (20, False, 0), (21, True, 0)],
)
@pytest.mark.parametrize(
    "command", [JoinRoom("r", "s1"), Publish("s1", main_track="r"), Play("r", room="r")], ids=lambda c: type(c).__name__
)
def test_a_room_is_used_in_its_time(
    command: JoinRoom | Publish | Play, second: int, refused: bool, retry_after_ms: int
) -> None:
    """Joined, published in and played whole; whoever comes too early learns how long it has to wait."""
    world = world_of(RegisteredRoom("r", planned_start=DAY + 10, planned_end=DAY + 20))
    at(world, second)

    step = world.say("ann", command)

    assert (step.refused != "") is refused
    if refused:
        room = getattr(command, "room", "")
        expected = refusal(
            ROOM_NOT_ACTIVE_OR_EXPIRED, stream_id=command.stream_id, room=room, retry_after_ms=retry_after_ms
        )
        assert told(step, "ann") == [expected]


def test_a_stream_that_stands_for_a_room_has_the_room_s_plan() -> None:
    """Newer clients make a room by registering its main track."""
    world = world_of(RegisteredStream("r", planned_end=DAY + 1))
    at(world, 2)

    assert world.say("ann", JoinRoom("r")).refused == ROOM_NOT_ACTIVE_OR_EXPIRED.definition
    assert world.say("ann", Publish("s1", main_track="r")).refused == ROOM_NOT_ACTIVE_OR_EXPIRED.definition


def test_a_kept_stream_is_not_restored_after_its_room_s_end() -> None:
    """Whoever comes back names no room; the one it was in counts."""
    granted = Grant(allowed=True, identity="tag-of-ann")
    world = world_of(RegisteredRoom("r", planned_end=DAY + 5), settings=Settings(restore_ms=60_000))
    world.publish("ann", "s1", room="r", grant=granted)
    world.close("ann")
    at(world, 6)

    assert world.say("ben", Publish("s1"), grant=granted).refused == ROOM_NOT_ACTIVE_OR_EXPIRED.definition


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(("of_app", "own", "limit"), [(-1, 1, 1), (1, -1, 1), (2, 1, 1), (1, 2, 1), (-1, -1, -1)])
def test_the_lower_limit_of_viewers_counts(of_app: int, own: int, limit: int) -> None:
    """The app's, and that of the registered stream; -1 is none."""
    world = world_of(RegisteredStream("s1", viewers_max=own), settings=Settings(viewers_max=of_app))
    world.publish("ann", "s1")
    world.play("ben", "s1")

    assert world.say("cid", Play("s1")).refused == (VIEWER_LIMIT_REACHED.definition if limit == 1 else "")


@pytest.mark.parametrize(
    "registered",
    [RegisteredRoom("r", streams_max=1), RegisteredStream("r", subtracks_max=1)],
    ids=["a room", "its main track"],
)
def test_a_registered_room_takes_so_many_streams(registered: RegisteredRoom | RegisteredStream) -> None:
    """The next one is refused; it is free again when one has ended."""
    world = world_of(registered)
    world.publish("ann", "s1", room="r")

    assert world.say("ben", Publish("s2", main_track="r")).refused == MAIN_TRACK_IS_FULL.definition
    world.close("ann")
    assert world.say("ben", Publish("s2", main_track="r")).refused == ""


@pytest.mark.parametrize(
    ("settings", "adaptive", "refused"),
    [
        (Settings(), False, False),
        (Settings(), True, True),
        (Settings(adaptive=True), False, True),
        (Settings(adaptive=True, ladder=LADDER), True, False),
    ],
)
def test_renditions_need_a_ladder(settings: Settings, adaptive: bool, refused: bool) -> None:
    """Whether the app or the stream asks for renditions, there must be settings to make them."""
    world = world_of(RegisteredStream("s1", adaptive=adaptive), settings=settings)
    world.publish("ann", "s1")

    assert world.say("ben", Play("s1")).refused == (NO_ENCODER_SETTINGS.definition if refused else "")


@pytest.mark.parametrize(
    ("settings", "adaptive", "ladder"),
    [
        (Settings(), True, ()),
        (Settings(ladder=LADDER), False, ()),
        (Settings(ladder=LADDER), True, LADDER),
        (Settings(ladder=LADDER, adaptive=True), False, LADDER),
    ],
)
def test_media_is_told_the_ladder(settings: Settings, adaptive: bool, ladder: tuple[Rung, ...]) -> None:
    """With the offer, and only for a stream that is to be played in renditions."""
    world = world_of(RegisteredStream("s1", adaptive=adaptive), settings=settings)
    world.say("ann", Publish("s1"))
    detail = world.say("ann", TakeConfiguration("s1", "offer", "the offer")).transitions[0].detail

    assert isinstance(detail, PublishTerms)
    assert detail.ladder == ladder


def test_the_order_of_checks_is_kept() -> None:
    """Access before registration, registration before dates, dates before codecs and limits (the design, section 5)."""
    planned = RegisteredStream("s1", planned_start=DAY + 10, viewers_max=0, adaptive=True, waits=True)
    world = world_of(planned, settings=replace(STREAMS_ONLY, codecs=()))
    denied = world.say("ann", Publish("s1"), grant=Grant(allowed=False))
    early = world.say("ann", Publish("s1"))
    unknown = world.say("ann", Publish("s2"))
    full = world.say("ann", Play("s1"))

    assert [step.refused for step in (denied, early, unknown, full)] == [
        UNAUTHORIZED_ACCESS.definition,
        STREAM_NOT_ACTIVE_OR_EXPIRED.definition,
        NOT_ALLOWED_UNREGISTERED_STREAMS.definition,
        VIEWER_LIMIT_REACHED.definition,
    ]


# ---------------------------------------------------------------- what it says of a stream


def test_what_is_registered_is_told_where_the_publisher_says_nothing() -> None:
    """Name, meta data and room; what the publisher says stands."""
    world = world_of(RegisteredStream("s1", name="Camera", meta_data="{}", main_track="r"))
    world.publish("ann", "s1")
    silent = world.engine.find(Kind.STREAM, "s1", app=APP)
    world.close("ann")
    world.say("ben", Publish("s1", stream_name="Mine", meta_data="m", main_track="q"))
    said = world.engine.find(Kind.STREAM, "s1", app=APP)

    assert isinstance(silent, Stream)
    assert isinstance(said, Stream)
    assert (silent.name, silent.meta_data, silent.placed_in) == ("Camera", "{}", "r")
    assert (said.name, said.meta_data, said.placed_in) == ("Mine", "m", "q")


def test_a_registered_room_that_is_a_stream_takes_nobody() -> None:
    """A room's name may be alive as something else; an id is one thing."""
    world = world_of(RegisteredStream("s1", main_track="s2"))
    world.publish("ben", "s2")

    assert world.say("ann", Publish("s1")).refused == STREAM_ID_IN_USE.definition
