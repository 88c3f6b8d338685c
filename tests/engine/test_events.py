"""What the world reports, as it stands on a reel."""

from typing import Final

import pytest

from signalreel.events import (
    EVENTS,
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    ClockAdjusted,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    LogicRaised,
    MediaConnected,
    MediaEvent,
    MediaLost,
    ResolutionChanged,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
    Track,
    TracksFound,
)
from signalreel.identifiers import Kind, Reference
from signalreel.record import Record, decode_record, encode_record, input_name
from signalreel.settings import Settings

STREAM: Final = Reference(Kind.STREAM, "live", "s1", 3)

EVERY: Final[list[AnyEvent]] = [
    SessionOpened("live", "alice"),
    SessionClosed(1006, "the network went"),
    ShutdownAnnounced(),
    RunStarted(),
    DeadlineReached(STREAM, 7),
    DescriptionCreated(STREAM, "offer", "v=0\r\n", {"0": "ARDAMSvs1"}),
    DescriptionFailed(STREAM, "remote", "no codec in common"),
    CandidateFound(STREAM, 0, "0", "candidate:1"),
    MediaConnected(STREAM),
    MediaLost(STREAM, "consent expired", silent=True),
    ResolutionChanged(STREAM, 360),
    TracksFound(STREAM, (Track("v", "video", "VP8", 640, 480, 500_000), Track("d", "data"))),
    BitrateMeasured(STREAM, 3, 2, 1),
    ResourcesMeasured(90, 4_000),
    LicenceChanged(suspended=True),
    LogicRaised(1),
    ClockAdjusted(-5),
    SettingsChanged(Settings(restore_ms=1)),
]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_a_reel_as_it_was(event: AnyEvent) -> None:
    """Contract 8: what is replayed is what happened, field by field."""
    record = Record(1, 5, "session", event=event)

    assert decode_record(encode_record(record)) == record
    assert input_name(record) == type(event).__name__


def test_every_event_is_tried_above() -> None:
    """An event without an example could be lost on its way through the codec unseen."""
    assert [type(event) for event in EVERY] == list(EVENTS.values())


def test_what_names_a_machine_names_one_life_of_it() -> None:
    """Contract 7: every event about a machine carries its whole reference, and those of media have one base."""
    about_machines = {name for name, kind in EVENTS.items() if "machine" in kind.__struct_fields__}

    assert about_machines == {kind.__name__ for kind in MediaEvent.__subclasses__()} | {"DeadlineReached"}
    for event in EVERY:
        if type(event).__name__ in about_machines:
            assert event.machine.born == 3  # type: ignore[union-attr]
