"""Whole flows, by every strategy alike: layers, joins, switches, losses and late packets in any mixture.

The same story is told to layers with each strategy, and each viewer has to see the same packets in the same places.
What a viewer is sent again, if it has lost it, is byte for byte what it was sent before.
"""

from collections.abc import Callable
from typing import Final

from hypothesis import given
from hypothesis import strategies as some

from signalreel_adapters.media.aiortc.fanout import FanOut, PoliteFanOut, RawFanOut
from signalreel_adapters.media.aiortc.gso import GsoFanOut
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.rtp import parse
from tests.adapters.media.aiortc.fakes import Clock, offered, published, rtp, vp8
from tests.adapters.media.aiortc.players import Player, Players, unpadded

VIEWERS: Final = 4
LAYERS: Final = 2

Deed = tuple[str, int, int]
"""What happens, to which viewer or on which layer, and how much of it."""


class World:
    """Two layers of one track and a few viewers, which have no other packets than these."""

    def __init__(self, fan_out: FanOut, players: Players, end_turn: Callable[[], None]) -> None:
        self.clock = Clock()
        self.players = players
        self.end_turn = end_turn
        self.layers = [
            Layer(
                published(ssrcs=(number + 1,)),
                number + 1,
                str(number),
                fan_out=fan_out,
                keyframe_interval=0.5,
                ask_for_keyframe=lambda layer: None,
            )
            for number in range(LAYERS)
        ]
        self.sequences = [65_500, 100]
        self.pictures = [32_760, 5]
        self.lost: list[list[bytes]] = [[], []]
        for number, player in enumerate(players.all):
            player.out.sequence_offset = player.out.timestamp_offset = 0
            player.out.last_sequence, player.out.last_timestamp = 1_000 * number, 77 * number
            player.out.ready = True

    def do(self, deed: Deed) -> None:
        """Let one thing happen."""
        word, which, amount = deed
        self.clock.now += 0.001
        getattr(self, f"_{word}")(which, amount)
        self.players.hear()

    def _watch(self, which: int, amount: int) -> None:
        """Have a viewer wait for a layer, whatever it watches now."""
        player, layer = self._player(which), self.layers[amount % LAYERS]
        if player.out.target is not None:
            player.out.target.stop_waiting(player.out)
        if player.out.layer is not layer:
            layer.await_start(player.out, self.clock.now)

    def _leave(self, which: int, _: int) -> None:
        player = self._player(which)
        for layer in self.layers:
            layer.stop(player.out)

    def _move(self, which: int, amount: int) -> None:
        """Give a viewer a way of its own, or take it."""
        player = self._player(which)
        if amount % 2:
            player.shut()
        else:
            player.open()

    def _frame(self, which: int, amount: int) -> None:
        """A whole frame; every third is a keyframe."""
        self._packets(which, amount, whole=True)

    def _part(self, which: int, amount: int) -> None:
        """The first packets of a frame, of which no more comes."""
        self._packets(which, amount, whole=False)

    def _packets(self, which: int, amount: int, *, whole: bool) -> None:
        number = which % LAYERS
        self.pictures[number] = self.pictures[number] + 1 & 0x7FFF
        picture, count = self.pictures[number], amount % 7 + 1
        for part in range(count):
            self.sequences[number] = self.sequences[number] + 1 & 0xFFFF
            payload = (
                vp8(picture, key=not amount % 3) if part == 0 else b"\x80\x80" + (picture | 0x8000).to_bytes(2, "big")
            )
            data = rtp(
                self.sequences[number],
                3_000 * picture,
                ssrc=number + 1,
                marker=whole and part == count - 1,
                payload=payload + bytes((part,)) * (100 + amount * (part + 1) % 60),
            )
            if part and amount % 11 == part:
                self.lost[number].append(data)
            else:
                self._take(number, data)

    def _late(self, which: int, _: int) -> None:
        """One that was lost arrives after all."""
        number = which % LAYERS
        if self.lost[number]:
            self._take(number, self.lost[number].pop())

    def _turn(self, _: int, __: int) -> None:
        self.end_turn()

    def _take(self, number: int, data: bytes) -> None:
        found = parse(data)
        assert found is not None
        self.layers[number].take(data, found, self.clock.now)

    def _player(self, which: int) -> Player:
        return self.players.all[which % VIEWERS]


def told(story: list[Deed], fan_out: FanOut, end_turn: Callable[[], None], expected: list[int]) -> list[list[bytes]]:
    """Tell the story with one strategy; gives what each viewer saw, and has it ask for everything once more."""
    with Players(VIEWERS, shared=False) as players:
        for player in players.all:
            player.out.offered = offered(ssrc=player.out.ssrc, repair_type=0)
            player.out.repair_type = 0
        world = World(fan_out, players, end_turn)
        for deed in [("watch", 0, 0), ("watch", 1, 0), ("watch", 2, 0), ("frame", 0, 0), *story]:
            world.do(deed)
        fan_out.flush()
        seen = [list(player.hear(count)) for player, count in zip(players.all, expected, strict=True)]
        for player in players.all:
            before = {packet[2:4]: packet for packet in player.sent}
            player.sent.clear()
            for sequence in before:
                world.clock.now += 0.01
                player.out.retransmit(int.from_bytes(sequence, "big"), world.clock.now)
            for packet in player.sent:
                assert before[packet[2:4]] == packet
        return seen


@given(
    some.lists(
        some.tuples(
            some.sampled_from(["frame", "frame", "frame", "part", "late", "turn", "watch", "leave", "move"]),
            some.integers(0, 7),
            some.integers(0, 200),
        ),
        max_size=40,
    )
)
def test_every_strategy_tells_the_same_story(story: list[Deed]) -> None:
    """Whoever comes, goes, switches, loses or moves, and wherever a frame is cut: nobody sees a difference."""
    turns: list[Callable[[], None]] = []

    def end_turn() -> None:
        while turns:
            turns.pop()()

    plain = told(story, PoliteFanOut(), lambda: None, [0] * VIEWERS)
    counts = [len(packets) for packets in plain]
    raw = told(story, RawFanOut(), lambda: None, counts)
    whole = told(story, GsoFanOut(turns.append), end_turn, counts)

    assert raw == plain
    assert [[unpadded(packet) for packet in packets] for packets in whole] == plain
