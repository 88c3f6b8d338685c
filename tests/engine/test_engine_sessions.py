"""The engine's sessions and surroundings, and what an embedder may look at."""

import pytest

from signalreel.commands import GetIceServerConfig, Join, JoinRoom, LeaveFromRoom, Ping, Publish, Stop
from signalreel.events import (
    ClockAdjusted,
    LicenceChanged,
    ResourcesMeasured,
    RunStarted,
    SessionOpened,
    ShutdownAnnounced,
)
from signalreel.host import KickSession
from signalreel.identifiers import Kind
from signalreel.machines.context import Environment, Session
from signalreel.messages import POLICY_VIOLATION, CloseSession, IceServerConfig, Notification
from signalreel.record import Grant
from signalreel.settings import Settings
from tests.engine.world import MS, World, moves


def test_a_session_opens_once() -> None:
    """The app and the identity are set when a session opens, for good."""
    world = World()
    world.apply(SessionOpened("live", "alice"), session="a")
    world.apply(SessionOpened("other", "mallory"), session="a")

    assert world.engine.sessions() == (Session("a", "live", "alice"),)
    assert world.engine.session("a") == Session("a", "live", "alice")
    assert world.engine.session("b") is None


def test_a_session_that_closes_leaves_nothing_behind() -> None:
    """Contract 14: whatever it held is free in the same step, and everything that is told goes to others."""
    world = World()
    world.open("a", "b")
    world.publish("a", "s1", room="r")
    world.play("a", "s1")
    world.play("a", "r", room="r")
    world.say("a", JoinRoom("r2"))
    world.say("a", Join("p"))
    world.say("b", Join("p"))
    assert len(world.engine.held("a")) == 6

    step = world.close("a")

    assert world.engine.held("a") == ()
    assert world.lives() == [("pair", "p", "waiting")]
    assert {to for to, _ in step.messages} == {"b"}
    assert step.deadline is None


def test_a_new_run_ends_what_the_run_before_left_open() -> None:
    """Every session of every app is over, and nobody is told: there is nobody left to tell."""
    world = World(Settings(restore_ms=60_000))
    world.open("a", "b")
    world.open("x", app="other")
    world.publish("a", "s1", room="r", grant=Grant(allowed=True, identity="tag"))
    world.play("b", "s1")
    world.publish("x", "s1")
    world.say("x", Join("p"))

    step = world.report(RunStarted())

    assert world.engine.sessions() == ()
    assert world.lives() == []
    assert (step.messages, step.deadline) == ([], None)
    assert ("pair", "p", "waiting", "dissolved") in moves(step)
    assert len([move for move in moves(step) if move[-1] == "finished"]) == 3


def test_a_session_is_told_that_the_server_will_stop() -> None:
    """server_will_stop, to the one session of the record, so that telling all can be spread."""
    world = World()
    world.open("a", "b")

    step = world.apply(ShutdownAnnounced(), session="b")

    assert step.messages == [("b", Notification("server_will_stop"))]


@pytest.mark.parametrize(("app", "closes"), [("live", True), ("", True), ("other", False)])
def test_the_host_sends_a_session_away(app: str, closes: bool) -> None:
    """A message to its transport to close; what it held goes when that reports. Another app's session is not there."""
    world = World()
    world.open("a")
    world.publish("a", "s1")

    step = world.order(KickSession(app=app, session="a", actor="admin"))

    assert step.messages == ([("a", CloseSession(POLICY_VIOLATION, "kicked"))] if closes else [])
    assert world.state(Kind.STREAM, "s1") == "broadcasting"


def test_the_surroundings_are_what_was_said_last() -> None:
    """Contract 2: load, licence, clock and settings all come from events."""
    world = World()
    world.report(ResourcesMeasured(50, 100))
    world.report(ResourcesMeasured(60, 90))
    world.report(LicenceChanged(suspended=True))
    world.report(ClockAdjusted(7))
    world.set(Settings(restore_ms=1))

    assert world.engine.environment == Environment(60, 90, licence_suspended=True, clock_offset=7)
    assert world.engine.settings == Settings(restore_ms=1)


def test_the_ice_server_is_told_from_the_settings() -> None:
    """getIceServerConfig: as configured, and empty by default."""
    world = World()
    world.open("a")

    before = world.say("a", GetIceServerConfig())
    world.set(Settings(stun_server="stun:stun.example.org:3478"))
    after = world.say("a", GetIceServerConfig())

    assert before.messages == [("a", IceServerConfig(""))]
    assert after.messages == [("a", IceServerConfig("stun:stun.example.org:3478"))]


def test_a_ping_on_a_reel_means_nothing() -> None:
    """Contract 13: the runtime answers pings off the reel; one that stands on a reel has no answer here."""
    world = World()
    world.open("a")

    step = world.say("a", Ping())

    assert (step.messages, step.transitions, step.refused) == ([], [], "")


def test_what_needs_no_stream_works_without_one() -> None:
    """joinRoom and leaveFromRoom are answered about the room; leaving by no name at all is refused as such."""
    world = World()
    world.open("a")

    steps = [world.say("a", command) for command in (JoinRoom("r"), LeaveFromRoom("r"), LeaveFromRoom(""))]

    assert [step.refused for step in steps] == ["", "", "no_room_specified"]


def test_looking_at_an_engine_changes_nothing() -> None:
    """What an embedder may ask: machines by kind, what a session holds, the time, the next deadline."""
    world = World()
    world.open("a")
    world.say("a", Publish("s1", main_track="r"))
    world.say("a", Stop("nothing"))
    engine = world.engine

    assert [key for key, _ in engine.machines()] == [(Kind.STREAM, "live", "s1"), (Kind.ROOM, "live", "r")]
    assert [key for key, _ in engine.machines(Kind.ROOM)] == [(Kind.ROOM, "live", "r")]
    assert engine.held("a") == ((Kind.STREAM, "live", "s1"), (Kind.ROOM, "live", "r"))
    assert (engine.seq, engine.time) == (3, 3 * MS)
    assert engine.deadline() == world.steps[-1].deadline
