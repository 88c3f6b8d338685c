"""`signalreel_adapters.media.aiortc.noting`."""

from collections.abc import Callable

from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed, MediaStatistics
from signalreel_adapters.media.aiortc.noting import STATISTICS_EVERY_S, Flow, Notes, summed

STREAM = Reference(Kind.STREAM, "live", "s", 3)
PLAYBACK = Reference(Kind.PLAYBACK, "live", "a/s", 4)


class Side:
    """A life of a machine, of which only this much is noted."""

    def __init__(self, machine: Reference) -> None:
        self.machine = machine
        self.on_failure: Callable[[str, str], None] = lambda layer, what: None
        self.flowed: Flow | None = None

    def flow(self) -> Flow | None:
        """What flowed."""
        return self.flowed


def test_what_flows_is_noted_now_and_then() -> None:
    """Not before it flows, at once when it does, and then every few seconds: received of a stream, sent to a player."""
    taken: list[AnyNote] = []
    notes = Notes()
    notes.take_with = taken.append
    stream, playback = Side(STREAM), Side(PLAYBACK)
    looks = [notes.follow(side) for side in (stream, playback)]
    for look in looks:
        look(0.0)
    assert taken == []

    stream.flowed, playback.flowed = Flow(10, 900, height=360), Flow(8, 700, 2, 0.0125, 180, 1)
    for now in (1.0, 2.0, 1.0 + STATISTICS_EVERY_S):
        for look in looks:
            look(now)

    of_stream = MediaStatistics(STREAM, packets_received=10, bytes_received=900, height=360)
    of_player = MediaStatistics(
        PLAYBACK,
        packets_sent=8,
        bytes_sent=700,
        packets_lost=2,
        keyframes_asked=1,
        round_trip_us=12_500,
        height=180,
    )
    assert taken == [of_stream, of_player, of_stream, of_player]


def test_a_bitrate_is_that_since_the_note_before() -> None:
    """Over the seconds that have really passed; where less is counted than before, because a layer ended, it is 0."""
    taken: list[AnyNote] = []
    notes = Notes()
    notes.take_with = taken.append
    side = Side(STREAM)
    look = notes.follow(side)
    for now, octets in ((1.0, 1_000), (6.0, 626_000), (16.0, 626_500), (21.0, 600_000)):
        side.flowed = Flow(1, octets)
        look(now)

    assert [note.bitrate for note in taken if isinstance(note, MediaStatistics)] == [0, 1_000_000, 400, 0]


def test_a_failure_is_noted_with_its_layer() -> None:
    """And with the machine that it is of."""
    taken: list[AnyNote] = []
    notes = Notes()
    notes.take_with = taken.append
    side = Side(STREAM)
    notes.follow(side)
    side.on_failure("dtls", "the DTLS handshake failed")

    assert taken == [MediaFailed("dtls", "the DTLS handshake failed", STREAM)]


def test_where_nobody_takes_notes_there_are_none() -> None:
    """Whoever asks is told so, and a late note is lost without a word."""
    notes = Notes()
    notes.take(MediaFailed("ice", "nobody hears it"))

    assert not notes
    assert summed([(1, 10), (2, 20)]) == (3, 30)
