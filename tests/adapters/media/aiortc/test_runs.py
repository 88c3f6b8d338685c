"""How the packets of a frame are divided into runs, and made equal."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from signalreel_adapters.media.aiortc.outgoing import Forwarded
from signalreel_adapters.media.aiortc.runs import PADDING_MAX, Run, level, plan


def make(sizes: Sequence[int], padding: int = 0) -> list[Forwarded]:
    """Packets of these sizes; with padding all of them end with so much of it."""
    flags = 0xA0 if padding else 0x80
    ending = bytes(padding - 1) + bytes((padding,)) if padding else b""
    return [
        Forwarded(flags, 0, at, 0, bytes((at + 1,)) * (size - padding) + ending, 12) for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ([], []),
        ([5], [Run(0, 1, 5)]),
        ([1_000, 1_000, 300], [Run(0, 3, 1_000)]),
        ([1_000, 1_001, 1_005], [Run(0, 3, 1_005)]),
        ([1_009, 1_000, 1_000], [Run(0, 3, 1_009)]),
        ([40, 1_000, 1_000], [Run(0, 1, 40), Run(1, 3, 1_000)]),
        ([1_000, 300, 1_000], [Run(0, 2, 1_000), Run(2, 3, 1_000)]),
        ([1_000, 1_000 + PADDING_MAX + 1], [Run(0, 1, 1_000), Run(1, 2, 1_000 + PADDING_MAX + 1)]),
        ([1_000, 1_020, 1_040], [Run(0, 2, 1_020), Run(2, 3, 1_040)]),
    ],
)
def test_packets_of_about_one_size_are_one_run(sizes: list[int], runs: list[Run]) -> None:
    """As encoders cut frames; the last one may be smaller by however much, and nothing grows beyond the bound."""
    assert plan(sizes, [PADDING_MAX] * len(sizes)) == runs


def test_packets_are_made_equal_by_padding() -> None:
    """The last byte says how much of it there is (RFC 3550, section 5.1); the largest and the last stay as they are."""
    packets = make([10, 12, 11, 9])

    assert level(packets) == [Run(0, 4, 12)]
    assert [packet.tail for packet in packets] == [
        b"\x01" * 10 + b"\0\x02",
        b"\x02" * 12,
        b"\x03" * 11 + b"\x01",
        b"\x04" * 9,
    ]
    assert [packet.flags for packet in packets] == [0xA0, 0x80, 0xA0, 0x80]


def test_what_is_padded_already_is_left_alone() -> None:
    """Its padding may have its own purpose, and its length is one byte."""
    packets = make([300, 301], padding=255)
    before = [packet.tail for packet in packets]

    assert level(packets) == [Run(0, 1, 300), Run(1, 2, 301)]
    assert [packet.tail for packet in packets] == before


@given(some.lists(some.integers(1, 1_300), max_size=60))
def test_any_packets_become_runs_that_hold_them(sizes: list[int]) -> None:
    """Runs cover all packets in their places, each of one size but for a smaller last; no payload is changed."""
    packets = make(sizes)
    before = [packet.tail for packet in packets]
    runs = level(packets)

    assert [at for run in runs for at in range(run.start, run.stop)] == list(range(len(sizes)))
    for run in runs:
        lengths = [len(packet.tail) for packet in packets[run.start : run.stop]]
        assert set(lengths[:-1]) <= {run.size}
        assert lengths[-1] <= run.size
    for packet, tail in zip(packets, before, strict=True):
        added = len(packet.tail) - len(tail)
        assert added <= PADDING_MAX
        assert packet.tail == tail + (bytes(added - 1) + bytes((added,)) if added else b"")
        assert bool(packet.flags & 0x20) == bool(added)
