"""What a reader of a reel remembers."""

from signalreel.commands import Publish
from signalreel.debug.history import History, ended_here, origin_told
from signalreel.engine import Engine
from signalreel.events import DeadlineReached, DescriptionFailed, LicenceChanged, MediaLost, RunStarted, SessionClosed
from signalreel.host import EndStream, RegisterStream
from signalreel.identifiers import Kind, Reference
from signalreel.record import Grant, Input
from signalreel.registered import RegisteredStream
from tests.engine.world import APP, World, record_of

STREAM = Reference(Kind.STREAM, APP, "s1", 3)


def followed(world: World) -> History:
    """The history of a world."""
    history = History(Engine(world.initial_settings))
    for step in world.steps:
        history.follow(step)
    return history


def test_a_life_knows_who_it_is_and_how_it_ended() -> None:
    """Each life of an id is another, with the states it came to, the record that ended it, and why."""
    world = World()
    world.open("a")
    world.publish("a", "s1")
    first = followed(world).last(Kind.STREAM, APP, "s1")
    world.close("a")
    closed = world.engine.seq
    history = followed(world)
    life = history.last(Kind.STREAM, APP, "s1")

    assert first is not None
    assert first.ended == 0
    assert life is not None
    assert (life.began, life.ended, life.why) == (2, closed, "session a closed with 1000")
    assert life.states == ["preparing", "negotiating", "connecting", "broadcasting", "finished"]
    assert [ended_here(move) for step in world.steps for move in step.transitions] == [False] * 4 + [True]
    assert history.last(Kind.STREAM, APP, "other") is None


def test_sessions_and_surroundings_are_told_with_their_records() -> None:
    """Whether a session was seen to close, and since when something is as it is."""
    world = World()
    world.open("a", "b")
    world.close("b")
    world.report(LicenceChanged(suspended=False))
    world.order(RegisterStream(app=APP, stream=RegisteredStream("s1")))
    world.say("a", Publish("s1"), grant=Grant(allowed=True, once="tag"))
    history = followed(world)

    assert history.session_told("a") == "session a (no close seen)"
    assert history.session_told("b") == "session b (closed at 3 with 1000)"
    assert (history.app_of("b"), history.app_of("nobody")) == (APP, "")
    assert history.since("LicenceChanged") == "since record 4"
    assert history.since("SettingsChanged") == "since the reel began"
    assert (history.ordered("s1"), history.ordered("s2")) == (" (ordered at 5)", "")
    assert (history.used_at("tag"), history.used_at("other")) == ("at record 6", "")


def test_what_stands_at_a_seam_is_remembered() -> None:
    """Its sessions, machines and used tokens; since when a machine is in its state, the reel does not say."""
    world = World()
    world.open("a")
    world.publish("a", "s1", grant=Grant(allowed=True, once="tag"))
    history = History(world.engine)
    life = history.last(Kind.STREAM, APP, "s1")

    assert history.app_of("a") == APP
    assert history.session_told("a") == "session a (no close seen)"
    assert life is not None
    assert (life.began, life.states) == (2, ["broadcasting"])
    assert history.state_since(life) == f"since before record {world.engine.seq + 1}"
    assert history.used_at("tag") == f"before record {world.engine.seq + 1}"
    history.follow(world.close("a"))
    assert (life.ended, history.state_since(life)) == (world.engine.seq, f"since record {world.engine.seq}")


def test_every_sort_of_record_is_told_in_a_clause() -> None:
    """Who did it, or what happened, without a description."""
    told: dict[Input, str] = {
        Publish("s1"): "session a said publish",
        SessionClosed(1006, "gone\x1b"): "session a closed with 1006 ('gone\\x1b')",
        DeadlineReached(STREAM, 7): "the deadline was reached that record 7 had set",
        MediaLost(STREAM, "consent expired"): "media was lost: consent expired",
        MediaLost(STREAM, silent=True): "nothing came any more",
        DescriptionFailed(STREAM, "remote", "no codec"): "media could not take the client's description: no codec",
        DescriptionFailed(STREAM, "local"): "media could not make its own description",
        RunStarted(): "a new run began, and the one before left this open",
        LicenceChanged(suspended=True): "LicenceChanged was reported",
        EndStream(stream_id="s1", actor="olga"): "the host ordered endStream, by olga",
    }

    assert {input: origin_told(record_of(1, 0, "a", input)) for input in told} == told
