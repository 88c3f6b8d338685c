"""What an operator registers, as it stands on a reel."""

import msgspec
import pytest

from signalreel.registered import BlockKind, Purpose, RegisteredRoom, RegisteredStream, Subscriber


def test_a_stream_is_written_by_what_differs_from_the_defaults() -> None:
    """The names are those that clients of real servers know, and what says nothing is not written."""
    stream = RegisteredStream("s1", planned_start=5, waits=True)

    assert msgspec.json.encode(stream) == b'{"streamId":"s1","plannedStart":5,"autoStartStopEnabled":true}'


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b'{"streamId":"s","plannedStart":-1}', RegisteredStream),
        (b'{"streamId":"s","viewersMax":-2}', RegisteredStream),
        (b'{"streamId":"s","publishAccess":["password"]}', RegisteredStream),
        (b'{"streamId":"s","metaData":"%s"}' % (b"m" * 4_097), RegisteredStream),
        (b'{"room":"r","plannedEnd":9007199254740993}', RegisteredRoom),
        (b'{"streamId":"s","subscriberId":"a","periodS":0}', Subscriber),
        (b'{"streamId":"s","subscriberId":"a","purpose":"both"}', Subscriber),
    ],
)
def test_what_no_reel_could_hold_is_refused(text: bytes, kind: type[msgspec.Struct]) -> None:
    """Every text and number is bounded, and every word is one of a known few."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=kind)


def test_a_block_is_from_one_purpose_or_from_both() -> None:
    """The three words of real servers stand for one purpose or two."""
    assert [kind.purposes for kind in BlockKind] == [
        (Purpose.PUBLISH,),
        (Purpose.PLAY,),
        (Purpose.PUBLISH, Purpose.PLAY),
    ]
