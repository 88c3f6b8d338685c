"""What became of a stream, a room or a session, in sentences."""

from typing import Final

from signalreel.commands import GetTrackList, Play, Publish
from signalreel.debug.explain import Explanation, Subject, explain
from signalreel.identifiers import Kind, Reference
from signalreel.notes import Closed, MediaFailed, MediaStatistics, Note
from signalreel.reel import MemoryReel
from tests.engine.segments import segment_of
from tests.engine.world import APP, World

REFUSED: Final = (
    "8: publish s1 by session bert was refused with streamIdInUse, because the stream s1 is broadcasting since record"
    " 7, held by session anna (no close seen) since record 4; freed at 11, when session anna closed with 1000"
)
NEVER_STARTED: Final = (
    "10: playback cleo/s1 ended (preparing -> finished), because the deadline was reached that record 9 had set;"
    " it never started: after preparing (since record 9) it was over"
)


def call() -> World:
    """A publisher, one who wants its id, and a viewer who never answers."""
    world = World()
    world.open("anna", "bert", "cleo")
    world.publish("anna", "s1")
    world.say("bert", Publish("s1"))
    world.say("cleo", Play("s1"))
    world.wake()
    world.close("anna")
    world.say("bert", Publish("s1"))
    return world


def told(explanation: Explanation) -> list[str]:
    """The sentences."""
    return [sentence.told for sentence in explanation.sentences]


def test_a_stream_is_told_from_its_beginning_to_its_end() -> None:
    """Who held the id while another wanted it, until when; what never started; what ended it."""
    assert told(explain(call().reel(), Subject(stream="s1"))) == [
        "4: stream s1 began (preparing): session anna said publish",
        "7: stream s1 went live (connecting -> broadcasting): MediaConnected was reported",
        REFUSED,
        "9: playback cleo/s1 began (preparing): session cleo said play",
        NEVER_STARTED,
        "11: stream s1 ended (broadcasting -> finished), because session anna closed with 1000",
        "12: stream s1 began (preparing): session bert said publish",
    ]


def test_a_session_is_told_with_what_it_held() -> None:
    """From its opening to its close; other sessions' doings are left out. The beginning of its id is enough."""
    assert told(explain(call().reel(), Subject(session="cle"))) == [
        "3: session cleo opened",
        "9: playback cleo/s1 began (preparing): session cleo said play",
        NEVER_STARTED,
    ]


def test_refusals_and_single_records_can_be_asked_for() -> None:
    """A refusal carries its definition, its rule and what to do about it."""
    (refused,) = explain(call().reel(), Subject(refusals=True)).sentences

    assert (refused.seq, refused.definition) == (8, "streamIdInUse")
    assert refused.rules == ("stream broadcasting x publish row 4: refuse streamIdInUse",)
    assert refused.advice
    assert told(explain(call().reel(), Subject(at=5))) == [
        "5: stream s1 went on (preparing -> negotiating): session anna said takeConfiguration"
    ]


def test_a_record_that_moved_nothing_is_told_by_its_rule() -> None:
    """Also when nothing came of it, there is a rule that says so."""
    world = call()
    world.say("cleo", GetTrackList("s1"))
    seq = world.engine.seq
    (sentence,) = explain(world.reel(), Subject(at=seq)).sentences

    assert sentence.definition == "no_stream_exist" or "by the rule" in sentence.told


def test_an_id_that_is_never_freed_is_told_so() -> None:
    """To the end of the reel."""
    world = World()
    world.open("anna", "bert")
    world.publish("anna", "s1")
    world.say("bert", Publish("s1"))

    assert told(explain(world.reel(), Subject(refusals=True)))[0].endswith("; not freed to the end of the reel")


def noted() -> MemoryReel:
    """The call, with notes beside it."""
    reel = call().reel()
    reel.note(Note(11, 5, "anna", Closed(1006, "network", "")))
    reel.note(Note(7, 6, "", MediaFailed("ice", "no answer", Reference(Kind.STREAM, APP, "s1", 4))))
    reel.note(Note(7, 7, "anna", MediaStatistics(Reference(Kind.STREAM, APP, "s1", 4), 5)))
    return reel


def test_notes_stand_beside_what_they_belong_to() -> None:
    """Close codes with the session, failures of media with the stream; statistics would drown the rest."""
    about_session = told(explain(noted(), Subject(session="anna")))
    about_stream = told(explain(noted(), Subject(stream="s1")))

    assert about_session[-1] == "11: noted: closed with 1006 (network) (session anna)"
    assert [line for line in about_stream if "noted" in line] == ["7: noted: stream s1: ice failed (no answer)"]
    assert not any("packets" in line for line in (*about_session, *about_stream))


def test_a_room_is_told() -> None:
    """Its opening and its end, and what was refused there."""
    world = World()
    world.open("anna")
    world.publish("anna", "s1", room="lobby")
    world.close("anna")
    lines = told(explain(world.reel(), Subject(room="lobby")))

    assert lines[0] == "2: room lobby began (open): session anna said publish"
    assert lines[-1].startswith("6: room lobby ended (open -> closed), because session anna closed with 1000")


def test_a_segment_is_told_with_what_stood_at_its_seam() -> None:
    """Who held the id before the first record is known; a stream that was live then does not begin anew."""
    whole = call().reel()
    sentences = told(explain(segment_of(whole, 7), Subject(stream="s1")))

    assert sentences[0] == REFUSED.replace("since record 7", "since before record 8")
    assert [one for one in sentences if "began" in one] == [
        "9: playback cleo/s1 began (preparing): session cleo said play",
        "12: stream s1 began (preparing): session bert said publish",
    ]
    after = told(explain(segment_of(whole, 9), Subject(stream="s1")))
    assert after[0] == NEVER_STARTED
