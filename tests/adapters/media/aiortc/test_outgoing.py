"""One outgoing stream stays continuous whatever its source does."""

from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.rtp import parse
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, offered, published, rtp, vp8


def make_layer(clock: Clock, track: PublishedTrack | None = None) -> Layer:
    """A layer that asks nobody for keyframes."""
    return Layer(
        track or published(),
        1,
        "",
        fan_out=PoliteFanOut(),
        keyframe_interval=0.5,
        ask_for_keyframe=lambda layer: None,
    )


def feed(layer: Layer, clock: Clock, sequence: int, picture: int, *, key: bool = False, step: float = 0.04) -> None:
    """Give a layer one picture of one packet."""
    data = rtp(sequence, int(clock.now * 90_000) & 0xFFFFFFFF, payload=vp8(picture, key=key, layer=picture & 0xFF))
    packet = parse(data)
    assert packet is not None
    layer.take(data, packet, clock.now)
    clock.now += step


def flowing() -> tuple[Clock, Layer, Out, FakeTransport]:
    """A layer that one viewer has been let into, and three pictures."""
    clock, transport = Clock(), FakeTransport()
    layer, out = make_layer(clock), Out(offered(), transport)
    out.ready = True
    layer.await_start(out, clock.now)
    for step in range(3):
        feed(layer, clock, 100 + step, 50 + step, key=step == 0)
    return clock, layer, out, transport


def numbers(transport: FakeTransport) -> list[int]:
    """The sequence numbers that were sent."""
    return [int.from_bytes(packet[2:4], "big") for packet in transport.sent]


def pictures(transport: FakeTransport) -> list[int]:
    """The picture ids that were sent; extensions of video take eight bytes."""
    return [int.from_bytes(packet[22:24], "big") & 0x7FFF for packet in transport.sent]


def test_the_header_is_the_viewers_own() -> None:
    """Payload type and SSRC of the offer, and a first number in the lower half."""
    _, _, _, transport = flowing()
    first = transport.sent[0]

    assert first[1] & 0x7F == 100
    assert int.from_bytes(first[8:12], "big") == 7_000
    assert numbers(transport)[0] <= 0x8000
    assert pictures(transport) == [50, 51, 52]


def test_a_pause_leaves_no_gap_in_numbers_and_the_time_that_passed() -> None:
    """The next packet has the next number, and a timestamp as far away as the clock is."""
    clock, layer, out, transport = flowing()
    layer.stop(out)
    for step in range(20):
        feed(layer, clock, 103 + step, 53 + step)
    layer.await_start(out, clock.now)
    feed(layer, clock, 123, 73, key=True)

    before, after = transport.sent[-2], transport.sent[-1]
    assert numbers(transport)[-1] == (numbers(transport)[-2] + 1) & 0xFFFF
    passed = int.from_bytes(after[4:8], "big") - int.from_bytes(before[4:8], "big") & 0xFFFFFFFF
    assert abs(passed - 21 * 0.04 * 90_000) < 90
    assert pictures(transport)[-1] == 73


def test_another_layer_continues_the_picture_numbers() -> None:
    """Without that Chromium takes its pictures for lost ones, and stalls."""
    clock, layer, out, transport = flowing()
    other = make_layer(clock)
    other.await_start(out, clock.now)
    feed(layer, clock, 103, 53)
    feed(other, clock, 9_000, 700, key=True)
    feed(layer, clock, 104, 54)
    feed(other, clock, 9_001, 701)

    assert pictures(transport) == [50, 51, 52, 53, 54, 55]
    assert numbers(transport) == [numbers(transport)[0] + step for step in range(6)]
    assert [packet[24] for packet in transport.sent][-2:] == [54, 55]


def test_the_old_layer_goes_on_until_the_new_ones_keyframe() -> None:
    """A switch shows no hole."""
    clock, layer, out, transport = flowing()
    other = make_layer(clock)
    other.await_start(out, clock.now)
    feed(other, clock, 9_000, 700)
    feed(layer, clock, 103, 53)

    assert pictures(transport)[-1] == 53
    assert (out.layer, out.target) == (layer, other)


def test_a_late_packet_of_before_the_start_is_not_sent() -> None:
    """It would reuse a number, and with it a key stream."""
    clock, layer, out, transport = flowing()
    layer.stop(out)
    feed(layer, clock, 103, 53)
    feed(layer, clock, 105, 55)
    layer.await_start(out, clock.now)
    feed(layer, clock, 106, 56, key=True)
    feed(layer, clock, 104, 54)

    assert pictures(transport) == [50, 51, 52, 56]


def test_a_late_packet_of_the_flow_is_sent_in_its_place() -> None:
    """Its number is where it would have been."""
    clock, layer, _, transport = flowing()
    feed(layer, clock, 104, 54)
    feed(layer, clock, 103, 53)

    assert numbers(transport)[-2:] == [numbers(transport)[0] + 4, numbers(transport)[0] + 3]


def test_a_late_packet_is_sent_after_more_than_half_of_the_range() -> None:
    """Numbers wrap while a flow goes on; its start is then no measure any more."""
    clock, layer, _, transport = flowing()
    for step in range(40_000):
        feed(layer, clock, 103 + step, 53 + step, step=0.0)
    transport.sent.clear()
    feed(layer, clock, 40_104, 1)
    feed(layer, clock, 40_103, 0)

    assert len(transport.sent) == 2


def test_a_retransmission_has_a_stream_of_its_own() -> None:
    """RFC 4588: own SSRC, own numbers, the original number before the payload."""
    clock, _, out, transport = flowing()
    original = transport.sent[1]
    assert out.retransmit(int.from_bytes(original[2:4], "big"), clock.now)

    again = transport.sent[-1]
    assert (again[1] & 0x7F, int.from_bytes(again[8:12], "big")) == (97, 7_001)
    assert again[20:] == original[2:4] + original[20:]


def test_without_retransmission_streams_the_very_bytes_are_repeated() -> None:
    """Another plain text under the same number would break SRTP."""
    clock, _, out, transport = flowing()
    out.repair_type = 0
    clock.now += 5
    assert out.retransmit(int.from_bytes(transport.sent[1][2:4], "big"), clock.now)

    assert transport.sent[-1] == transport.sent[1]


def test_what_is_not_kept_is_not_sent_again() -> None:
    """Numbers from before the flow, from the future, and from before the last start."""
    clock, layer, out, transport = flowing()
    first = numbers(transport)[0]

    assert not out.retransmit((first - 1) & 0xFFFF, clock.now)
    assert not out.retransmit(first + 3, clock.now)
    layer.stop(out)
    assert not out.retransmit(first, clock.now)
    layer.await_start(out, clock.now)
    feed(layer, clock, 103, 53, key=True)
    assert not out.retransmit(first, clock.now)


def test_padding_repeats_what_was_sent_under_numbers_of_its_own() -> None:
    """From the newest back to where the flow began; the viewer takes it for retransmissions of what it has."""
    clock, layer, out, transport = flowing()
    sent = transport.sent[:]
    transport.sent.clear()
    sizes = [out.repeat(steps, clock.now) for steps in range(4)]

    assert sizes == [*(len(packet) for packet in reversed(sent)), 0]
    assert [packet[22:24] for packet in transport.sent[:1]] == [sent[-1][20:22]]
    assert [packet[20:22] for packet in transport.sent] == [packet[2:4] for packet in reversed(sent)]
    first = numbers(transport)[0]
    assert numbers(transport) == [first, first + 1, first + 2]
    out.repair_type = 0
    assert out.repeat(0, clock.now) == 0
    layer.stop(out)
    assert out.repeat(0, clock.now) == 0


def test_the_age_of_a_packet_is_known_while_it_is_kept() -> None:
    """By the time that it carries; of another flow's packets nothing is known, nor of those to come."""
    clock, layer, out, transport = flowing()
    newest = numbers(transport)[-1]

    assert [round(out.age(newest - steps, clock.now) or 0, 2) for steps in range(3)] == [0.04, 0.08, 0.12]
    assert out.age(newest + 1, clock.now) is None
    assert out.age(newest - 3, clock.now) is None
    layer.stop(out)
    assert out.age(newest, clock.now) is None


def test_requests_for_retransmission_have_a_budget() -> None:
    """A viewer cannot make the server send without end."""
    clock, _, out, transport = flowing()
    number = numbers(transport)[0]
    sent = sum(out.retransmit(number, clock.now) for _ in range(5_000))

    assert sent == 200


def test_what_was_sent_is_counted_over_pauses() -> None:
    """For the sender reports: packets and payload octets of this viewer alone."""
    clock, layer, out, transport = flowing()
    layer.stop(out)
    feed(layer, clock, 103, 53)
    layer.await_start(out, clock.now)
    feed(layer, clock, 104, 54, key=True)

    assert out.sent() == (4, sum(len(packet) - 20 for packet in transport.sent))
