"""The engine against its contract, item by item."""

import ast
import inspect
from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from signalreel.commands import COMMANDS, STREAMLESS, AnyCommand, GetRoomInfo, Join, JoinRoom, Ping, Play, Publish
from signalreel.engine import STATE_DIGEST_EVERY, TABLES, Engine
from signalreel.errors import InvalidRecord, OutOfOrder
from signalreel.events import (
    ClockAdjusted,
    LicenceChanged,
    MediaConnected,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
)
from signalreel.host import NO_SUCH_SESSION, KickSession, RegisterStream
from signalreel.identifiers import NAME_LENGTH_MAX, Kind
from signalreel.messages import Notification, Start
from signalreel.record import Record
from signalreel.refusals import INVALID_STREAM_NAME, NO_STREAM_NAME_SPECIFIED
from signalreel.registered import RegisteredStream
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot
from signalreel.step import DIGEST_SIZE, GENESIS, Step
from tests.engine.world import World, refusal, told

# ---------------------------------------------------------------- 1: one order, and apps that do not see each other


@pytest.mark.parametrize(("seq", "time"), [(0, 5_000), (1, 5_000), (3, 5_000), (2, 999)])
def test_records_are_applied_in_their_order_or_not_at_all(seq: int, time: int) -> None:
    """Contract 1: a seq that is not the next, or a time before the last one, changes nothing."""
    world = World()
    world.open("a")
    before = world.engine.snapshot()

    with pytest.raises(OutOfOrder):
        world.engine.apply(Record(seq, time, "a", command=Publish("s1")))

    assert world.engine.snapshot() == before
    assert world.engine.apply(Record(2, 1_000, "a", command=Publish("s1"))).messages == [("a", Start("s1"))]


@pytest.mark.parametrize(
    "record",
    [
        Record(2, 5_000, "a"),
        Record(2, 5_000, "a", command=Publish("s1"), event=SessionClosed()),
        Record(2, 5_000, "a", event=SessionClosed(), host=KickSession(session="a")),
        Record(2, 5_000, "a", command=JoinRoom("r")),
    ],
)
def test_a_record_that_is_not_whole_is_not_applied(record: Record) -> None:
    """Contract 12: no input, two inputs or a missing id are the caller's fault, told before anything has changed."""
    world = World()
    world.open("a")
    before = world.engine.snapshot()

    with pytest.raises(InvalidRecord, match="record 2: it "):
        world.engine.apply(record)

    assert world.engine.snapshot() == before


def test_apps_do_not_see_each_other() -> None:
    """Contract 1: the same ids live in two apps at once, and nothing of one is found, counted or told in the other."""
    world = World(Settings(streams_max=1, viewers_max=1))
    world.open("a", "b", "c")
    world.open("x", "y", "z", app="other")
    world.publish("a", "s1", room="r")
    assert world.say("y", Play("s1")).refused == "no_stream_exist"
    assert world.say("y", GetRoomInfo("r", "y1")).refused == "no_active_streams_in_room"

    world.publish("x", "s1", room="r")
    world.play("b", "s1")
    world.play("y", "s1")
    world.say("c", Join("p"))
    step = world.say("z", Join("p"))

    assert told(step, "c") == []
    assert world.state(Kind.PAIR, "p") == world.state(Kind.PAIR, "p", app="other") == "waiting"
    ended = world.close("x")
    assert [to for to, _ in ended.messages] == ["y"]
    assert world.state(Kind.STREAM, "s1") == "broadcasting"
    assert world.state(Kind.ROOM, "r") == "open"


def test_an_event_names_the_app_it_is_about() -> None:
    """Contract 1: a reference to a machine of one app is nothing in another, also with equal id and birth."""
    world = World()
    world.open("a")
    world.say("a", Publish("s1"))
    elsewhere = msgspec.structs.replace(world.stream("s1"), app="other")

    step = world.report(MediaConnected(elsewhere))

    assert (step.transitions, step.messages) == ([], [])


# ---------------------------------------------------------------- 2 and 3: purity


def test_the_same_records_give_the_same_steps() -> None:
    """Contract 2: an engine has nothing but its records; another one that applies them is the same, step for step."""
    world = World()
    world.open("a", "b")
    world.publish("a", "s1", room="r")
    world.play("b", "s1")
    world.close("a")
    other = Engine(state_digest_every=1)

    assert [other.apply(record) for record in world.records] == world.steps
    assert other.snapshot() == world.engine.snapshot()


def test_applying_does_not_change_a_record_or_an_earlier_step() -> None:
    """Contract 2: what was given out stays as it was, whatever comes later."""
    world = World()
    world.open("a")
    record = world.say("a", Publish("s1", main_track="r")).record
    step = world.steps[-1]
    kept = msgspec.msgpack.encode((step.record, step.transitions, step.messages, step.fired, step.deadline))

    world.close("a")

    assert record == Record(2, 2_000, "a", command=Publish("s1", main_track="r"), ids=("fresh-2",))
    assert msgspec.msgpack.encode((step.record, step.transitions, step.messages, step.fired, step.deadline)) == kept


def conditions_and_actions() -> list[Callable[..., object]]:
    """Every function that a row of the four tables names."""
    found: dict[Callable[..., object], None] = {}
    for table in TABLES.values():
        for row in table.rows:
            found.update(dict.fromkeys(row.conditions))
            if inspect.isfunction(row.action):
                found[row.action] = None
    return list(found)


LOOKING: Final = frozenset(
    {
        "find",
        "holds",
        "held",
        "takes_part_in",
        "registration",
        "fresh_id",
        "audience",
        "audience_size",
        "roster",
        "placed",
        "placed_size",
        "streams",
        "by_another",
        "waiting",
        "waiting_size",
        "stream",
        "room",
        "subscriber",
        "has_blocks",
        "has_blocks_of",
        "is_blocked",
        "sessions",
        "of",
    }
)
LEAVING: Final = frozenset({"send", "refuse", "notify"})


@pytest.mark.parametrize("function", conditions_and_actions(), ids=lambda function: function.__name__)
def test_what_a_row_names_only_looks_and_leaves(function: Callable[..., object]) -> None:
    """Contract 2: a condition or action assigns to nothing but the context's detail and its own names."""
    tree = ast.parse(inspect.getsource(function).strip())
    targets = [
        target
        for node in ast.walk(tree)
        for target in (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
    ]
    assigned = {ast.unparse(target) for target in targets if not isinstance(target, ast.Name | ast.Tuple)}

    assert assigned <= {"context.detail"}
    assert not any(isinstance(node, ast.Global | ast.Nonlocal | ast.Delete | ast.Await) for node in ast.walk(tree))


@pytest.mark.parametrize(
    "condition",
    list(dict.fromkeys(condition for table in TABLES.values() for row in table.rows for condition in row.conditions)),
    ids=lambda condition: condition.__qualname__,
)
def test_a_condition_collects_nothing(condition: Callable[..., object]) -> None:
    """Conditions look at other machines; only an action sends, refuses or notifies."""
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(inspect.getsource(condition).strip()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value).startswith("context")
    }

    assert called <= LOOKING
    assert not called & LEAVING


# ---------------------------------------------------------------- 4: a step is data


def test_a_step_is_data() -> None:
    """Contract 4: everything in a step can be encoded; there is no object in it that could perform anything."""
    world = World()
    world.open("a")
    world.publish("a", "s1")

    for step in world.steps:
        shown = msgspec.msgpack.encode(step)
        assert msgspec.msgpack.decode(shown, type=Step) == step


def test_a_step_names_the_rows_that_fired() -> None:
    """Explaining and coverage read off a step what decided it: machine, cell, row and what the row does."""
    world = World()
    world.open("a", "b")
    world.say("a", Publish("s1"))

    refused = world.say("b", Publish("s1"))

    ((id, fired),) = refused.fired
    assert (id, fired.kind, fired.state, fired.input, fired.what) == (
        "s1",
        "stream",
        "preparing",
        "Publish",
        "refuse streamIdInUse",
    )


# ---------------------------------------------------------------- 8: digests and snapshots


def test_a_digest_is_chained_from_step_to_step() -> None:
    """Contract 8: it begins at a fixed value, changes with every record, and is the engine's own afterwards."""
    world = World()
    assert world.engine.digest == GENESIS
    world.open("a")
    world.say("a", Ping())
    world.say("a", Ping())

    digests = [step.digest for step in world.steps]

    assert len(set(digests)) == 3
    assert {len(digest) for digest in digests} == {DIGEST_SIZE}
    assert world.engine.digest == digests[-1]


def test_the_state_is_digested_every_so_many_records() -> None:
    """Contract 8: a digest of the whole state on every 64th record, and on no other."""
    world = World(state_digest_every=STATE_DIGEST_EVERY)
    world.open(*(f"session-{number}" for number in range(130)))

    assert STATE_DIGEST_EVERY == 64
    assert [step.record.seq for step in world.steps if step.state_digest] == [64, 128]


def test_the_state_digest_covers_the_whole_state() -> None:
    """Contract 8: sessions, machines, settings and surroundings all show in it, each in a way of its own."""
    digests: dict[bytes, str] = {}
    for name, input in (
        ("a session", SessionOpened("live")),
        ("its identity", SessionOpened("live", "me")),
        ("the settings", SettingsChanged(Settings(restore_ms=1))),
        ("the load", ResourcesMeasured(50, 100)),
        ("the licence", LicenceChanged(suspended=True)),
        ("the clock", ClockAdjusted(5)),
        ("nothing", RunStarted()),
    ):
        world = World()
        digests[world.apply(input, session="a").state_digest] = name

    assert len(digests) == 7


def test_a_state_has_one_digest_however_it_came_about() -> None:
    """Contract 8: what opened and closed again leaves no trace in the state."""
    direct, roundabout = World(), World()
    for _ in range(4):
        direct.say("nobody", Ping())
    direct.open("a")
    roundabout.open("b")
    roundabout.say("b", Join("p"))
    roundabout.close("b")
    roundabout.say("nobody", Ping())
    roundabout.open("a")

    assert direct.steps[-1].state_digest == roundabout.steps[-1].state_digest
    assert direct.steps[-1].digest != roundabout.steps[-1].digest


def test_a_snapshot_can_be_kept_outside() -> None:
    """Contract 9: a snapshot is data; written and read again it restores the same engine."""
    world = World(Settings(restore_ms=5))
    world.open("a", "b")
    world.publish("a", "s1", room="r")
    world.play("b", "r", room="r")
    world.say("b", Join("p"))
    world.order(RegisterStream(app="live", stream=RegisteredStream("s2")))
    snapshot = world.engine.snapshot()

    read = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot)
    engine = Engine()
    engine.restore(read)

    assert read == snapshot
    assert engine.snapshot() == snapshot


def test_a_snapshot_does_not_change_with_its_engine() -> None:
    """Going back to a snapshot is going back, also after much has happened since."""
    world = World()
    world.open("a")
    world.publish("a", "s1")
    snapshot = world.engine.snapshot()
    world.close("a")

    world.engine.restore(snapshot)

    assert world.lives() == [("stream", "s1", "broadcasting")]
    assert world.engine.seq == snapshot.seq


# ---------------------------------------------------------------- 10: ids come from records


def test_ids_come_from_records_only() -> None:
    """Contract 10: the id that is given out is the one that the runtime drew, letter by letter."""
    engine = Engine()
    engine.apply(Record(1, 0, "a", event=SessionOpened("live")))

    step = engine.apply(Record(2, 0, "a", command=JoinRoom("r"), ids=("drawn-by-the-runtime",)))

    ((_, message),) = step.messages
    assert isinstance(message, Notification)
    assert message.stream_id == "drawn-by-the-runtime"


# ---------------------------------------------------------------- 12: bad input

BAD_NAMES: Final = ("a\n", ".", "..", "../x", "a/b", "a b", "\u00e9", "a" * 65_536, "a" * (NAME_LENGTH_MAX + 1))
ON_REELS: Final = [kind for kind in COMMANDS.values() if kind is not Ping]


def named(kind: type[AnyCommand], field: str, name: str) -> AnyCommand:
    """A command that names something."""
    valid = dict.fromkeys({"stream_id", "room"} & set(kind.__struct_fields__), "valid")
    return msgspec.structs.replace(kind(), **{**valid, field: name})


@pytest.mark.parametrize("kind", ON_REELS, ids=lambda kind: kind.__name__)
def test_a_bad_name_is_refused_whichever_field_it_stands_in(kind: type[AnyCommand]) -> None:
    """Contract 12: invalidStreamName, before any machine hears of it, and the session goes on."""
    world = World()
    world.open("a")
    for field in ("stream_id", "room", "main_track"):
        if field in kind.__struct_fields__:
            for name in BAD_NAMES:
                command = named(kind, field, name)
                step = world.say("a", command)

                named_stream: str = getattr(command, "stream_id", "")
                named_room: str = getattr(command, "room", "")
                expected = refusal(INVALID_STREAM_NAME, stream_id=named_stream, room=named_room)
                assert step.messages == [("a", expected)]
                assert (step.refused, step.transitions) == (INVALID_STREAM_NAME.definition, [])
                assert [fired.what for _, fired in step.fired] == ["refuse: the name is missing or invalid"]
    assert world.lives() == []


@pytest.mark.parametrize("kind", ON_REELS, ids=lambda kind: kind.__name__)
def test_a_missing_name_is_refused_where_one_is_needed(kind: type[AnyCommand]) -> None:
    """Contract 12: noStreamNameSpecified, without a stream id, for all commands but those that need none."""
    world = World()
    world.open("a")
    command = kind()

    step = world.say("a", command)

    needs = kind.__struct_config__.tag not in STREAMLESS
    assert (step.refused == NO_STREAM_NAME_SPECIFIED.definition) is needs
    if needs:
        assert step.messages == [("a", refusal(NO_STREAM_NAME_SPECIFIED))]
        assert step.transitions == []


def test_what_a_closed_session_still_says_is_let_pass() -> None:
    """Contract 12: input of a session that is not open, or not any more, changes nothing and is answered by nothing."""
    world = World()
    world.open("a")
    world.close("a")

    steps = [
        world.say("a", Publish("s1")),
        world.say("never", Publish("s1")),
        world.close("a"),
        world.close("never"),
        world.apply(ShutdownAnnounced(), session="a"),
    ]
    kick = world.order(KickSession(app="live", session="a"))

    assert [(step.messages, step.transitions, step.refused) for step in steps] == [([], [], "")] * 5
    assert (kick.messages, kick.transitions, kick.refused) == ([], [], NO_SUCH_SESSION.definition)
    unknown = ["ignore: of a session that is not open"]
    assert [[fired.what for _, fired in step.fired] for step in (*steps, kick)] == [*[unknown] * 4, [], unknown]
    assert world.lives() == []
