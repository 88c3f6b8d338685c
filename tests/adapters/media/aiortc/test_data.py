"""Data channels: who hears what, and what a slow or greedy peer costs."""

from typing import Literal

from signalreel_adapters.media.aiortc.data import DataEnd, Message, Relay
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.fakes import Clock


class FakeChannel:
    """A data channel that keeps what is sent, up to what the other end takes at once."""

    def __init__(self, bytes_max: int = 100) -> None:
        self.bytes_max = bytes_max
        self.readyState = "open"
        self.bufferedAmount = 0
        self.sent: list[Message] = []
        self.closed = False
        self.heard: object = None
        self.opens: object = None

    def on(self, event: str, callback: object) -> None:
        """Listen."""
        if event == "open":
            self.opens = callback
        else:
            self.heard = callback

    def send(self, message: Message) -> None:
        """Keep a message."""
        if len(message) > self.bytes_max:
            raise ValueError("too large")
        self.sent.append(message)
        self.bufferedAmount += len(message)

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def remove_all_listeners(self) -> None:
        """Hear nothing more."""
        self.heard = None


class FakeSctp:
    """An association that offers channels when a test says so."""

    def __init__(self) -> None:
        self.accept: object = None

    def on(self, event: str, callback: object) -> None:
        """Listen."""
        self.accept = callback

    def remove_all_listeners(self) -> None:
        """Hear nothing more."""
        self.accept = None


def end(**options: object) -> tuple[DataEnd, FakeChannel, list[Message]]:
    """An end whose peer has opened a channel."""
    sctp, channel, heard = FakeSctp(), FakeChannel(), list[Message]()
    opened = DataEnd(sctp, AiortcSettings(**options), heard.append, Clock())  # type: ignore[arg-type]
    sctp.accept(channel)  # type: ignore[operator]
    return opened, channel, heard


def test_messages_cross_in_both_kinds() -> None:
    """Text stays text and bytes stay bytes."""
    ours, channel, heard = end()
    assert [ours.send("text"), ours.send(b"bytes")] == [True, True]
    channel.heard("said")  # type: ignore[operator]

    assert channel.sent == ["text", b"bytes"]
    assert heard == ["said"]


def test_a_slow_reader_loses_messages() -> None:
    """What waits for it is bounded; others are not held up."""
    ours, channel, _ = end(buffered_bytes_max=10)
    channel.bufferedAmount = 8

    assert [ours.send(b"xxx"), ours.send(b"xx")] == [False, True]
    assert ours.dropped == 1


def test_the_shortest_messages_cost_too() -> None:
    """What waits is bounded in number; what has left makes room."""
    ours, channel, _ = end(buffered_messages_max=3)
    assert [ours.send("x") for _ in range(5)] == [True, True, True, False, False]
    channel.bufferedAmount = 1

    assert [ours.send("x") for _ in range(3)] == [True, True, False]
    assert ours.dropped == 3


def test_a_peer_that_says_too_much_is_not_heard_to_the_end() -> None:
    """So many messages a second, averaged over four; then it is heard again."""
    sctp, channel, heard, clock = FakeSctp(), FakeChannel(), list[Message](), Clock()
    ours = DataEnd(sctp, AiortcSettings(messages_per_second=2), heard.append, clock)  # type: ignore[arg-type]
    sctp.accept(channel)  # type: ignore[operator]
    for number in range(20):
        channel.heard(str(number))  # type: ignore[operator]
    clock.now += 1
    channel.heard("later")  # type: ignore[operator]

    assert heard == [*map(str, range(8)), "later"]
    assert ours.dropped == 12


def test_it_is_told_when_the_peer_can_hear() -> None:
    """At once on a channel that is open, else when it opens."""
    for state in ("open", "connecting"):
        sctp, channel, told = FakeSctp(), FakeChannel(), list[str]()
        channel.readyState = state
        ours = DataEnd(sctp, AiortcSettings(), lambda message: None, Clock())  # type: ignore[arg-type]
        ours.on_open = lambda told=told: told.append("open")  # type: ignore[misc]
        sctp.accept(channel)  # type: ignore[operator]
        if state == "connecting":
            assert told == []
            channel.opens()  # type: ignore[operator]
        assert told == ["open"]


def test_what_the_peer_does_not_take_is_dropped() -> None:
    """Larger than it announced, or on a channel that is not open."""
    ours, channel, _ = end()
    assert not ours.send(b"x" * 101)
    channel.readyState = "closing"

    assert not ours.send(b"x")


def test_a_message_too_large_for_us_is_not_relayed() -> None:
    """It was announced what we take."""
    ours, channel, heard = end(message_bytes_max=4)
    channel.heard("12345")  # type: ignore[operator]

    assert heard == []
    assert ours.dropped == 1


def test_only_the_first_channel_of_a_peer_is_used() -> None:
    """Others are closed."""
    ours, channel, _ = end()
    second = FakeChannel()
    ours._accept(second)  # type: ignore[arg-type]
    ours.send("x")

    assert second.closed
    assert channel.sent == ["x"]


def test_a_closed_end_is_deaf_and_dumb() -> None:
    """Nothing refers to it any more."""
    ours, channel, _ = end()
    ours.close()

    assert not ours.send("x")
    assert channel.heard is None


def relay(
    player_messages: Literal["none", "publisher", "all"], *, deliveries_per_second: float = 100.0
) -> tuple[Relay, list[FakeChannel], Clock]:
    """A publisher and two players."""
    clock = Clock()
    made = Relay(AiortcSettings(player_messages=player_messages, deliveries_per_second=deliveries_per_second), clock)
    ends = [end() for _ in range(3)]
    made.publisher = ends[0][0]
    made.players = {1: ends[1][0], 2: ends[2][0]}
    return made, [each[1] for each in ends], clock


def test_players_hear_the_publisher() -> None:
    """All of them."""
    made, channels, _ = relay("none")
    made.from_publisher("hello")

    assert [channel.sent for channel in channels] == [[], ["hello"], ["hello"]]


def test_who_hears_a_player_is_a_setting() -> None:
    """Nobody, the publisher, or everybody else."""
    heard: dict[str, list[list[Message]]] = {}
    settings: tuple[Literal["none", "publisher", "all"], ...] = ("none", "publisher", "all")
    for setting in settings:
        made, channels, _ = relay(setting)
        made.from_player(1, "hello")
        heard[setting] = [channel.sent for channel in channels]

    assert heard == {
        "none": [[], [], []],
        "publisher": [["hello"], [], []],
        "all": [["hello"], [], ["hello"]],
    }


def test_what_is_said_to_many_costs_more() -> None:
    """A stream's messages are bounded by how many hear them together; each is heard by all, or by nobody."""
    made, channels, clock = relay("all", deliveries_per_second=1)
    for number in range(4):
        made.from_publisher(str(number))
    assert [channel.sent for channel in channels] == [[], ["0", "1"], ["0", "1"]]
    assert made.dropped == 2
    clock.now += 2
    made.from_player(1, "later")

    assert [channel.sent for channel in channels] == [["later"], ["0", "1"], ["0", "1", "later"]]


def test_more_hearers_than_the_whole_budget_hear_something_at_times() -> None:
    """A large audience is not left out for ever."""
    made, channels, clock = relay("none", deliveries_per_second=0.25)
    made.from_publisher("first")
    made.from_publisher("second")
    clock.now += 4
    made.from_publisher("third")

    assert [channel.sent for channel in channels[1:]] == [["first", "third"]] * 2
