"""`signalreel_adapters.media.moves`: what of a step media is to know, whole also after the way to another process."""

import msgspec
import pytest

from signalreel.commands import AnyCommand, Stop, TakeCandidate, TakeConfiguration
from signalreel.events import MediaConnected
from signalreel.identifiers import Kind, Reference
from signalreel.messages import VideoTrackAssignment
from signalreel.record import Record
from signalreel.step import (
    Detail,
    HeightForced,
    PublishTerms,
    Roster,
    Source,
    Step,
    TrackSwitched,
    Transition,
    VideoAssigned,
)
from signalreel_adapters.media.moves import Move, moves_of

STREAM = Reference(Kind.STREAM, "live", "s1", 3)
PLAYBACK = Reference(Kind.PLAYBACK, "live", "b/s1", 5)
OFFER = TakeConfiguration(stream_id="s1", type="offer", sdp="v=0")
CANDIDATE = TakeCandidate(stream_id="s1", label=1, id="0", candidate="candidate:1")


def step(*transitions: Transition, command: AnyCommand | None = None) -> Step:
    """A step of these transitions."""
    event = None if command is not None else MediaConnected(STREAM)
    return Step(Record(9, 0, "a", command=command, event=event), list(transitions), [], None, b"")


def test_only_streams_and_playbacks_concern_media() -> None:
    """The moves are the transitions of streams and playbacks, in their order; rooms and pairs have none."""
    room = Transition(Reference(Kind.ROOM, "live", "r", 1), "open", "open")
    pair = Transition(Reference(Kind.PAIR, "live", "p", 1), "waiting", "paired")
    first, second = Transition(PLAYBACK, "playing", "playing"), Transition(STREAM, "preparing", "negotiating")

    assert moves_of(step(room, first, pair, second)) == [Move(first), Move(second)]


@pytest.mark.parametrize("command", [OFFER, CANDIDATE])
def test_what_a_client_handed_over_goes_along(command: AnyCommand) -> None:
    """Every move of the step carries the description or the candidate that caused it."""
    transition = Transition(STREAM, "preparing", "negotiating")

    assert moves_of(step(transition, command=command)) == [Move(transition, command)]  # type: ignore[arg-type]


def test_other_causes_stay_behind() -> None:
    """What else a client may have said is of no use to media, and may hold what media need not know."""
    transition = Transition(STREAM, "broadcasting", "finished")

    assert moves_of(step(transition, command=Stop(stream_id="s1"))) == [Move(transition)]


@pytest.mark.parametrize(
    "detail",
    [
        None,
        PublishTerms(video=True, audio=False, codecs=("VP8",), silence_ms=5),
        Roster((Source("s1", 3), Source("s2", 4)), switched_off=True),
        TrackSwitched("s1", "video", enabled=False),
        HeightForced(240),
        VideoAssigned((VideoTrackAssignment("ARDAMSvs1", "s1"),)),
    ],
)
def test_a_move_travels_whole(detail: Detail | None) -> None:
    """Encoded and decoded it is the same, whatever the detail."""
    move = Move(Transition(PLAYBACK, "offered", "playing", detail), OFFER)

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(move), type=Move) == move
