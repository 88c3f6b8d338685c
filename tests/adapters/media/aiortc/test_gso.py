"""What is held back and for how long, and what becomes of viewers whose way takes no runs."""

import asyncio
import errno
import socket
from collections.abc import Callable

import pytest

from signalreel_adapters.media.aiortc.gso import HELD_PACKETS_MAX, GsoFanOut
from signalreel_adapters.media.aiortc.outgoing import Forwarded, rewrite
from signalreel_adapters.media.aiortc.peer import NO_RUNS
from tests.adapters.media.aiortc.players import Players

SO_NO_CHECK = 11  # asm-generic/socket.h


class Turn:
    """A reader's turn, which ends when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[Callable[[], None]] = []

    def end(self) -> None:
        """End it."""
        while self.scheduled:
            self.scheduled.pop()()


def packet(sequence: int, timestamp: int = 0, *, ends: bool = False, size: int = 200) -> Forwarded:
    """A packet of a frame."""
    return Forwarded(0x80, 0x80 if ends else 0, sequence, timestamp, bytes((sequence,)) * size, 12, None, ends)


def test_a_frame_goes_when_its_last_packet_has_come() -> None:
    """Until then nothing is sent, and afterwards nothing is held."""
    turn = Turn()
    with Players(2) as players:
        player = players.all[0]
        fan_out = GsoFanOut(turn.scheduled.append)
        pieces = [packet(1), packet(2), packet(3, ends=True)]
        for piece in pieces[:2]:
            fan_out.forward(piece, players.outs)
        assert player.hear() == []
        fan_out.forward(pieces[2], players.outs)

        assert player.hear(3) == [rewrite(piece, player.out) for piece in pieces]


def test_a_packet_that_is_a_frame_is_never_held() -> None:
    """Sound goes at once, and nobody has to be called for it."""
    turn = Turn()
    with Players(2) as players:
        GsoFanOut(turn.scheduled.append).forward(packet(1, ends=True), players.outs)

        assert len(players.all[0].hear(1)) == 1
        assert turn.scheduled == []


def test_nothing_is_held_for_one_viewer_alone() -> None:
    """There is nothing that it would share with others, so nothing is gained by waiting."""
    turn = Turn()
    with Players(1) as players:
        fan_out = GsoFanOut(turn.scheduled.append)
        fan_out.forward(packet(1), players.outs)

        assert len(players.all[0].hear(1)) == 1
        assert turn.scheduled == []


def test_nothing_is_held_beyond_the_readers_turn() -> None:
    """The rest of the frame may never come. One call for each turn, and none without anything held."""
    turn = Turn()
    with Players(2) as players:
        player = players.all[0]
        fan_out = GsoFanOut(turn.scheduled.append)
        fan_out.forward(packet(1), players.outs)
        fan_out.forward(packet(2), players.outs)
        assert len(turn.scheduled) == 1
        turn.end()
        assert len(player.hear(2)) == 2
        fan_out.forward(packet(3), players.outs)
        assert len(turn.scheduled) == 1
        turn.end()

        assert len(player.hear(3)) == 3


@pytest.mark.anyio
async def test_the_event_loop_ends_turns_by_itself() -> None:
    """What comes after the reader in the loop finds everything sent."""
    with Players(2) as players:
        GsoFanOut().forward(packet(1), players.outs)
        await asyncio.sleep(0)

        assert len(players.all[0].hear(1)) == 1


def test_a_frame_ends_where_another_begins() -> None:
    """Its marker was lost: what was held goes before what is held now."""
    with Players(2) as players:
        player = players.all[0]
        fan_out = GsoFanOut(lambda _: None)
        pieces = [packet(1), packet(2), packet(4, 90), packet(5, 90, ends=True)]
        for piece in pieces[:3]:
            fan_out.forward(piece, players.outs)
        assert len(player.hear(2)) == 2
        fan_out.forward(pieces[3], players.outs)

        assert player.hear(4) == [rewrite(piece, player.out) for piece in pieces]


def test_no_more_is_held_than_the_kernel_takes_at_once() -> None:
    """A keyframe is sent in parts."""
    with Players(2) as players:
        fan_out = GsoFanOut(lambda _: None)
        for sequence in range(HELD_PACKETS_MAX):
            assert players.all[0].hear() == []
            fan_out.forward(packet(sequence), players.outs)

        assert len(players.all[0].hear(HELD_PACKETS_MAX)) == HELD_PACKETS_MAX


def test_a_way_that_takes_no_runs_gets_single_packets() -> None:
    """Runs are for sockets that compute checksums, for one; what was refused is sent at once, and no run any more."""
    with Players(3, shared=False) as players:
        plain = players.all[1]
        plain.sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        fan_out = GsoFanOut(lambda _: None)
        pieces = [packet(1), packet(2), packet(3, ends=True)]
        for piece in pieces:
            fan_out.forward(piece, players.outs)

        for player in players.all:
            assert player.hear(3) == [rewrite(piece, player.out) for piece in pieces]
        growths = [player.egress.growth for player in players.all if player.egress is not None]
        assert growths == [16, NO_RUNS, 16]
        assert fan_out.dropped == 0


def test_the_kernel_refuses_runs_without_checksums() -> None:
    """What the test before this one relies on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        with pytest.raises(OSError, match=r"error|argument") as refusal:
            sender.sendmsg([bytes(20)], [(socket.IPPROTO_UDP, 103, b"\x0a\0")], 0, ("127.0.0.1", 9))

        assert refusal.value.errno in {errno.EIO, errno.EINVAL}
