"""What is said between a server and an encoder, both ways."""

import msgspec
import pytest

from signalreel_adapters.media.ladder.messages import (
    PACKET,
    Command,
    Counted,
    Encode,
    Plan,
    PlannedRung,
    Refresh,
    Report,
    SourceBroken,
    SourcePacket,
    decode_command,
    decode_report,
    encode,
    scaled,
)


@pytest.mark.parametrize("command", [Encode((480, 240)), Encode(()), Refresh(240)])
def test_commands_come_back(command: Command) -> None:
    """As they were said."""
    assert decode_command(encode(command)) == command


@pytest.mark.parametrize("report", [SourceBroken(), Counted(4, 3, 2, 1)])
def test_reports_come_back(report: Report) -> None:
    """As they were said."""
    assert decode_report(encode(report)) == report


def test_packets_come_back() -> None:
    """A source's with what it is put together by, a rendition's whole; neither is taken for anything else."""
    packet = SourcePacket(True, 0xFFFF, 0xFFFF_FFFF, b"payload")

    assert decode_command(packet.encode()) == packet
    assert decode_report(bytes((PACKET,)) + b"\x80packet") == b"\x80packet"


def test_a_plan_is_an_argument() -> None:
    """It is text, and comes back."""
    plan = Plan("H264", 96, (PlannedRung(240, 300_000, 7),))

    assert msgspec.json.decode(msgspec.json.encode(plan).decode(), type=Plan) == plan


@pytest.mark.parametrize(
    ("size", "rung", "rendition"),
    [
        ((1280, 720), 480, (854, 480)),
        ((640, 360), 241, (426, 240)),
        ((720, 1280), 240, (136, 240)),
        ((3, 4_000), 2, (2, 2)),
    ],
)
def test_renditions_keep_the_shape_and_are_even(size: tuple[int, int], rung: int, rendition: tuple[int, int]) -> None:
    """Of the rung's height, or one less."""
    assert scaled(*size, rung) == rendition
