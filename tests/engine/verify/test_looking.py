"""`signalreel.verify.looking`."""

from signalreel.commands import Stop
from signalreel.identifiers import Kind
from signalreel.verify.looking import Looking
from tests.engine.verify.broken import live
from tests.engine.world import APP


def test_a_step_concerns_who_holds_what_it_moved() -> None:
    """Also who held it before the step; nobody else."""
    world = live()
    stream = world.engine.find(Kind.STREAM, "s1", app=APP)
    step = world.say("alice", Stop("s1"))
    look = Looking(world.engine)
    look.before = {(Kind.STREAM, APP, "s1"): stream}

    assert look.was((Kind.STREAM, APP, "s1")) is stream
    assert look.concerns(step, APP, "alice")
    assert look.concerns(step, APP, "bob")
    assert not look.concerns(step, APP, "carl")


def test_what_is_wrong_names_the_machine_and_shortens_its_session() -> None:
    """The session of a playback is told by its beginning, as everywhere that people read."""
    look = Looking(live().engine)
    look.wrong("play-ends", (Kind.PLAYBACK, APP, "0123456789abcdef/s1"), "it has no timer")

    assert str(look.violations[0]) == ("play-ends is broken after record 9: playback live/01234567/s1: it has no timer")
