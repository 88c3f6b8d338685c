"""`signalreel.debug.predicates`."""

import pytest
from msgspec.structs import replace

from signalreel.commands import JoinRoom, Play, Publish, TakeConfiguration
from signalreel.debug.predicates import NODES_MAX, PREDICATE_LENGTH_MAX, compile_predicate
from signalreel.engine import Engine
from signalreel.errors import Divergence, InvalidPredicate
from signalreel.events import DescriptionCreated, MediaConnected
from tests.engine.world import World


def live() -> World:
    """Alice has a live stream s1; bob plays it and has joined a room; the last record makes the stream live."""
    world = World()
    world.open("alice-0123", "bob-0123")
    world.say("bob-0123", JoinRoom("r", "s2"))
    world.say("alice-0123", Publish("s1"))
    world.say("alice-0123", TakeConfiguration("s1", "offer", "sdp"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "sdp"))
    world.report(MediaConnected(world.stream("s1")))
    return world


@pytest.mark.parametrize(
    "text",
    [
        'stream("s1").state == "broadcasting"',
        'stream("s1") and not stream("s2") and stream("s2").state == ""',
        'stream("s1", app="live").born == 4 and stream("s1", app="other").born == 0',
        'sent("publish_finished") == 0 and sent("publish_started", to="alice") == 1 and sent(to="bob") == 0',
        'sent("notification", definition="publish_started", stream_id="s1")',
        'moved("stream", "s1", "broadcasting") == 1',
        'moved("stream", source="connecting", app="live") and not moved("playback")',
        'fired("go_live") and fired("stream connecting x MediaConnected") and not fired("ignore")',
        'input == "MediaConnected" and input("MediaConnected") and not input("publish", stream_id="s1")',
        'session == "" and seq == 7 and 0 < time < 0.01 and refused == ""',
        '"bob-0123" in room("r").members and len(room("r").members) == 1',
        'count(stream, state="broadcasting") == 1 and count("session", app="live") == 2 and count(pair) == 0',
        'not diverged and diverged == ""',
        'room("r").state in ("open", "closed") and seq + 1 - 2 == 6 and -1 < seq',
        'refused or (None == None and 1 <= 2 >= 2 > 1 != 3 and "x" not in ["y"])',
    ],
)
def test_what_is_so_holds(text: str) -> None:
    """Each of these is so just after the stream went live, and its negation is not."""
    world = live()

    assert compile_predicate(text).holds(world.engine, world.steps[-1])
    assert not compile_predicate(f"not ({text})").holds(world.engine, world.steps[-1])


def test_a_playbacks_session_may_be_shortened() -> None:
    """A playback is found by the beginning of its session, and so is what it did."""
    world = live()
    step = world.say("bob-0123", Play("s1"))

    for text in (
        'playback("bob/s1").state == "preparing"',
        'playback("bob-0123/s1", app="live")',
        'moved("playback", "bob/s1")',
    ):
        assert compile_predicate(text).holds(world.engine, step)
    assert not compile_predicate('playback("carl/s1") or playback("bob/s") or playback("bob/s1", app="other")').holds(
        world.engine, step
    )


def test_a_refusal_and_a_divergence_can_be_named() -> None:
    """What was refused, and what differs from what was recorded."""
    world = live()
    step = world.say("bob-0123", Publish("s1"))
    divergence = Divergence(8, "digest", "aa", "bb", "publish")

    assert compile_predicate('refused == "streamIdInUse" and input("publish", stream_id="s1")').holds(
        world.engine, step
    )
    assert compile_predicate('diverged == "digest"').holds(world.engine, step, divergence)


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("", 0, "invalid syntax"),
        ("seq ==", 0, "invalid syntax"),
        ("sequence == 1", 1, "there is no 'sequence'; there are refused, input"),
        ("1 and stream", 7, "stream is to be called"),
        ('stream("s1").stat', 1, "a stream has no 'stat'; it has"),
        ('stream("s1").__class__', 1, "a stream has no '__class__'"),
        ("session.upper()", 1, "only these can be called"),
        ("refused.state", 1, "this cannot stand"),
        ('input("publish").state', 1, "only a machine has fields"),
        ('open("/etc/passwd")', 1, "only these can be called"),
        ("[x for x in (1,)]", 1, "this cannot stand"),
        ("(lambda: 1)()", 1, "only these can be called"),
        ("2 ** 9 ** 9", 1, "this cannot stand"),
        ('f"{seq}"', 1, "this cannot stand"),
        ("seq is 1", 1, "compare with"),
        ('input("publsh")', 1, "input() knows nothing called 'publsh'"),
        ("count(streams)", 1, "count() knows nothing called 'streams'"),
        ("count()", 1, "count() takes 1 value(s)"),
        ('sent("a", "b")', 1, "sent() takes 0 to 1 value(s)"),
        ('sent("a", too="b")', 15, "sent() has no 'too'; it has"),
        ('invariant("room")', 1, "invariant() knows nothing called 'room'"),
        ('fired("a", b=1)', 14, "it has no value by a name"),
        ('sent(**{"a": 1})', 1, "`**` cannot stand"),
        ("b'x'", 1, "this cannot stand"),
        ("not " * 400 + "1", 0, "parts"),
        ("(" * 900 + ")" * 900, 0, ""),
        ("seq\0", 0, ""),
        ("1" * (PREDICATE_LENGTH_MAX + 1), 0, "longer than"),
        ("+".join("1" for _ in range(NODES_MAX)), 0, "more than"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, column: int, why: str) -> None:
    """Nothing but what the language has is ever run, and the message says what is wrong and at which column."""
    with pytest.raises(InvalidPredicate) as caught:
        compile_predicate(text)

    assert why in caught.value.why
    if column:
        assert caught.value.column == column


def test_what_cannot_be_compared_is_said_when_it_is_held() -> None:
    """A text is neither more nor less than a number."""
    world = live()

    with pytest.raises(InvalidPredicate, match="not supported between"):
        compile_predicate("session < 1").holds(world.engine, world.steps[-1])


def test_an_invariant_can_be_asked_for() -> None:
    """It is true of the record that breaks it; the records before it and behind it break nothing."""
    world = live()
    predicate, any_at_all = compile_predicate('invariant("refusal-changes-nothing")'), compile_predicate("invariant()")
    engine = Engine()
    predicate.watch(engine)
    told = [
        predicate.holds(engine, replace(engine.apply(record), refused="x" if record.seq == 4 else ""))
        for record in world.records
    ]

    assert told == [False, False, False, True, False, False, False]
    assert not any_at_all.holds(engine, world.steps[-1])
    assert not any_at_all.holds(engine, world.say("bob-0123", Publish("s1")))


def test_records_passed_over_are_no_part_of_a_step() -> None:
    """Asked again after several records, it looks at the state, and not at all that they changed as one step."""
    world = live()
    engine = Engine()
    predicate = compile_predicate("invariant()")
    predicate.watch(engine)
    steps = [engine.apply(record) for record in world.records]

    assert not predicate.holds(engine, replace(steps[-1], refused="x"))


def test_it_says_what_it_is() -> None:
    """A predicate is told as it was written."""
    assert str(compile_predicate("seq == 1")) == "seq == 1"
