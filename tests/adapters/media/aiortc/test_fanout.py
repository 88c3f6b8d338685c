"""Every strategy sends the same packets: what a viewer decrypts is what the plain way would have sent.

`golden` compares in two ways. Without padding, a packet is the one that was meant for this viewer; and with padding it
is, byte for byte, the one that the viewer would be sent again if it had lost it: another one under the same number
would be a second plain text for one key stream of SRTP.
"""

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pylibsrtp import Policy

from signalreel_adapters.media.aiortc.fanout import FanOut, PoliteFanOut, RawFanOut
from signalreel_adapters.media.aiortc.gso import HELD_PACKETS_MAX, GsoFanOut
from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out, rewrite
from signalreel_adapters.media.aiortc.rtp import Vp8Positions
from tests.adapters.media.aiortc.fakes import SEED, vp8
from tests.adapters.media.aiortc.players import Players, unpadded

Make = Callable[[], FanOut]


class Story:
    """Packets that are sent to viewers, and what each of them has to see."""

    def __init__(self, fan_out: FanOut, players: Players) -> None:
        self.fan_out = fan_out
        self.players = players
        self.meant: dict[Out, list[bytes]] = {out: [] for out in players.outs}
        self.packets: dict[Out, list[Forwarded]] = {out: [] for out in players.outs}

    def send(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet."""
        for out in outs:
            self.meant[out].append(rewrite(packet, out))
            self.packets[out].append(packet)
        self.fan_out.forward(packet, outs)
        self.players.hear()

    def golden(self) -> None:
        """Compare what arrived with what was meant."""
        self.fan_out.flush()
        for player in self.players.all:
            out = player.out
            got = player.hear(len(self.meant[out]))
            assert [unpadded(packet) for packet in got] == [unpadded(packet) for packet in self.meant[out]]
            assert got == [rewrite(packet, out) for packet in self.packets[out]]


def gso() -> GsoFanOut:
    """One whose reader's turn never ends: only what is complete is sent, or flushed."""
    return GsoFanOut(lambda _: None)


every_strategy = pytest.mark.parametrize("make_fan_out", [PoliteFanOut, RawFanOut, gso])


def packet(
    sequence: int, timestamp: int = 0, *, size: int = 100, ends: bool = True, picture: int | None = None
) -> Forwarded:
    """A packet of a frame; with a picture number it is one of VP8."""
    positions = None
    payload = random.Random(SEED ^ sequence).randbytes(size)
    if picture is not None:
        payload = vp8(picture & 0x7FFF, layer=picture & 0xFF) + payload
        positions = Vp8Positions(14, picture & 0x7FFF, True, 16, picture & 0xFF)
    return Forwarded(
        0x80, 0x80 if ends else 0, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, payload, 12, positions, ends
    )


def frame(first: int, sizes: Sequence[int], timestamp: int = 0, picture: int | None = None) -> list[Forwarded]:
    """The packets of a frame."""
    return [
        packet(first + at, timestamp, size=size, ends=at == len(sizes) - 1, picture=picture)
        for at, size in enumerate(sizes)
    ]


@every_strategy
@pytest.mark.parametrize("shifts", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_viewers_decrypt_what_was_meant_for_them(make_fan_out: Make, shifts: bool, shared: bool) -> None:
    """Own header, own picture numbers, the same payload, over the wrap of every counter."""
    with Players(3, shared=shared, shifts=shifts) as players:
        story = Story(make_fan_out(), players)
        for step in range(6):
            sizes = [300] * step + [50 * step + 1]
            for each in frame(65_525 + 6 * step, sizes, (1 << 32) - 90 + 45 * step, 0x7FFD + step):
                story.send(each, players.outs)
        story.golden()


@every_strategy
@pytest.mark.parametrize(
    "sizes",
    [
        [1_200],
        [1_000, 1_001],
        [1_000, 1_000, 1_001, 1_001, 1_005],
        [1_001, 1_000, 1_000],
        [40, 1_100, 1_100, 1_101],
        [1_100, 300, 1_100, 300, 1_100],
        [100, 200, 300, 400],
        [400, 300, 200, 100],
        [1_150] * 100,
        [1_150] * HELD_PACKETS_MAX,
        [1_276] * (HELD_PACKETS_MAX + 1),
        [0, 0],
    ],
    ids=str,
)
def test_frames_of_every_shape_arrive(make_fan_out: Make, sizes: list[int]) -> None:
    """As real encoders cut them, and as none does; a keyframe of a hundred packets; the largest that there are."""
    with Players(2) as players:
        story = Story(make_fan_out(), players)
        for each in frame(7, sizes):
            story.send(each, players.outs)
        story.golden()


@every_strategy
def test_more_viewers_than_one_call_takes_are_all_served(make_fan_out: Make) -> None:
    """Rows are as long as they are; the last one is not full."""
    with Players(131) as players:
        story = Story(make_fan_out(), players)
        for each in [packet(1), *frame(2, [500, 501, 501]), packet(5)]:
            story.send(each, players.outs)
        story.golden()


@every_strategy
def test_viewers_with_another_cipher_get_the_same(make_fan_out: Make) -> None:
    """Ciphers differ in what they add to a packet."""
    profiles = (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80)
    with Players(5, profiles=profiles) as players:
        story = Story(make_fan_out(), players)
        for each in [*frame(1, [500, 501, 502, 30]), packet(5), *frame(6, [100, 90])]:
            story.send(each, players.outs)
        story.golden()


@every_strategy
def test_ipv6_is_served_as_well(make_fan_out: Make) -> None:
    """An address of the other family has another form for the kernel."""
    with Players(3, host="::1") as players:
        story = Story(make_fan_out(), players)
        for each in [packet(1), *frame(2, [500, 500, 20])]:
            story.send(each, players.outs)
        story.golden()


@every_strategy
def test_a_viewer_without_the_short_way_is_served_by_the_plain_one(make_fan_out: Make) -> None:
    """Through a relay there is no socket of its own; one may come while a frame is held, and go."""
    with Players(3, opened=False) as players:
        story = Story(make_fan_out(), players)
        first, second, _ = players.all
        first.open()
        pieces = frame(1, [300, 300, 300, 301])
        story.send(pieces[0], players.outs)
        second.open()
        story.send(pieces[1], players.outs)
        first.shut()
        story.send(pieces[2], players.outs)
        story.send(pieces[3], players.outs)
        story.golden()


@every_strategy
def test_a_late_packet_goes_between_those_of_a_frame(make_fan_out: Make) -> None:
    """What was held goes first: the late one has waited long enough, but nobody's place is changed by it."""
    with Players(3) as players:
        story = Story(make_fan_out(), players)
        pieces = frame(10, [300, 300, 300])
        story.send(pieces[0], players.outs)
        story.fan_out.flush()
        story.send(packet(5, 3, ends=False), players.outs[:2])
        story.fan_out.flush()
        story.send(pieces[1], players.outs)
        story.send(pieces[2], players.outs)
        story.golden()


@every_strategy
def test_viewers_come_and_go_within_a_frame(make_fan_out: Make) -> None:
    """A new tuple and new offsets: whoever was there gets what came before under the old ones."""
    with Players(3) as players:
        fan_out = make_fan_out()
        (first, second, third), pieces = players.all, frame(1, [300, 301, 300, 301])
        then, later = (first.out, second.out), (second.out, third.out)
        for piece in pieces[:2]:
            fan_out.forward(piece, then)
        fan_out.flush()
        before = [rewrite(piece, out) for out in then for piece in pieces[:2]]
        second.out.sequence_offset += 100
        for piece in pieces[2:]:
            fan_out.forward(piece, later)
        fan_out.flush()
        after = [rewrite(piece, out) for out in later for piece in pieces[2:]]

        assert first.hear(2) == before[:2]
        assert second.hear(4) == before[2:] + after[:2]
        assert third.hear(2) == after[2:]


@every_strategy
def test_streams_mix_freely(make_fan_out: Make) -> None:
    """Two publishers and their sound: packets of one stream keep their places, whatever comes between them."""
    with Players(4) as players:
        story = Story(make_fan_out(), players)
        one, other = players.outs[:2], players.outs[2:]
        listeners = (*other,)  # of another layer: another tuple
        mixed = zip(frame(1, [300] * 5), frame(100, [200] * 5, 7), strict=True)
        for number, (left, right) in enumerate(mixed):
            story.send(left, one)
            story.send(packet(110 + number, 960 * number, size=60), listeners)
            story.send(right, other)
        story.fan_out.flush()
        for player in players.all[:2]:
            story.players.hear()
            assert [unpadded(each) for each in player.hear(5)] == story.meant[player.out]
        for player in players.all[2:]:
            got = [unpadded(each) for each in player.hear(10)]
            assert sorted(got) == sorted(story.meant[player.out])


@given(
    sizes=some.lists(some.lists(some.integers(0, 1_270), min_size=1, max_size=60), min_size=1, max_size=5),
    viewers=some.integers(1, 12),
    flushes=some.sets(some.integers(0, 40)),
    shared=some.booleans(),
    shifts=some.booleans(),
)
def test_any_frames_arrive_whole(
    sizes: list[list[int]], viewers: int, flushes: set[int], shared: bool, shifts: bool
) -> None:
    """Whatever the sizes are, and wherever the reader's turn ends."""
    with Players(viewers, shared=shared, shifts=shifts) as players:
        story = Story(gso(), players)
        sequence = 0
        for number, each in enumerate(sizes):
            for piece in frame(sequence, each, 3_000 * number, number):
                story.send(piece, players.outs)
                if piece.sequence in flushes:
                    story.fan_out.flush()
            sequence += len(each)
        story.golden()


@pytest.mark.parametrize("make_fan_out", [RawFanOut, gso])
def test_a_socket_that_takes_nothing_costs_one_viewer_its_packets(make_fan_out: Callable[[], RawFanOut]) -> None:
    """Nothing is kept, nobody else notices, and what was lost is counted."""
    with Players(2, shared=False) as players:
        fan_out = make_fan_out()
        stuck, free = players.all
        stuck.sender.close()
        for each in [packet(1), *frame(2, [300, 300, 30])]:
            fan_out.forward(each, players.outs)

        assert (stuck.hear(), len(free.hear(4)), fan_out.dropped) == ([], 4, 4)
