"""Every strategy sends the same packets: what a viewer decrypts is what the plain way would have sent."""

from collections.abc import Callable

import pytest
from pylibsrtp import Policy, Session

from signalreel_adapters.media.aiortc.fanout import FanOut, PoliteFanOut, RawFanOut, choose
from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out, rewrite
from signalreel_adapters.media.aiortc.peer import Egress
from signalreel_adapters.media.aiortc.rtp import Vp8Positions
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS
from tests.adapters.media.aiortc.fakes import FakeTransport, offered, vp8

KEY = bytes(range(44))


class SecureTransport(FakeTransport):
    """Encrypts like the real one, and decrypts what went out."""

    def __init__(self) -> None:
        super().__init__()
        self.outgoing = session(Policy.SSRC_ANY_OUTBOUND)
        self.incoming = session(Policy.SSRC_ANY_INBOUND)
        self.full = False

    def take(self, data: bytes, address: object) -> None:
        """Take a datagram as a socket does."""
        if self.full:
            raise BlockingIOError
        assert address == ("192.0.2.1", 5_000)
        self.sent.append(self.incoming.unprotect(bytes(data)))

    def open(self, *, raw: bool) -> None:
        """Make the short way available."""
        self.egress = Egress(self.outgoing._srtp[0], self.outgoing, self.take, ("192.0.2.1", 5_000)) if raw else None


def session(direction: int) -> Session:
    """An SRTP session with the key of these tests."""
    policy = Policy(key=KEY, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM)
    policy.allow_repeat_tx = True
    return Session(policy)


def make(number: int, *, raw: bool, shifts: bool = False) -> tuple[Out, SecureTransport]:
    """An outgoing stream in the middle of its flow."""
    transport = SecureTransport()
    transport.open(raw=raw)
    out = Out(offered(ssrc=9_000 + number), transport)
    out.egress = transport.egress
    out.sequence_offset, out.timestamp_offset = 1_000 * number, 77 * number
    out.shifts_pictures, out.picture_offset, out.layer_index_offset = shifts, 5 * number, number
    return out, transport


def packets() -> list[Forwarded]:
    """A few pictures, over the wrap of every counter."""
    found: list[Forwarded] = []
    for step in range(6):
        payload = vp8(0x7FFD + step & 0x7FFF, layer=0xFD + step & 0xFF) + bytes(50 * step)
        position = Vp8Positions(14, 0x7FFD + step & 0x7FFF, True, 16, 0xFD + step & 0xFF)
        found.append(
            Forwarded(
                0x80,
                0x80 * (step % 2),
                65_533 + step & 0xFFFF,
                (1 << 32) - 90 + 45 * step & 0xFFFFFFFF,
                payload,
                12,
                position,
            )
        )
    return found


@pytest.mark.parametrize("make_fan_out", [PoliteFanOut, RawFanOut])
@pytest.mark.parametrize("shifts", [False, True])
def test_viewers_decrypt_what_was_meant_for_them(make_fan_out: Callable[[], FanOut], shifts: bool) -> None:
    """Own header, own picture numbers, the same payload; encrypting for one viewer spoils no packet of the next."""
    fan_out = make_fan_out()
    raw = isinstance(fan_out, RawFanOut)
    viewers = [make(number, raw=raw, shifts=shifts) for number in range(3)]
    outs = tuple(out for out, _ in viewers)
    for packet in packets():
        fan_out.forward(packet, outs)
    fan_out.flush()

    for out, transport in viewers:
        assert transport.sent == [rewrite(packet, out) for packet in packets()]


def test_a_viewer_without_the_short_way_is_served_by_the_plain_one() -> None:
    """Through a relay there is no socket of its own."""
    (raw, first), (plain, second) = make(1, raw=True), make(2, raw=False)
    RawFanOut().forward(packets()[0], (raw, plain))

    assert first.sent == [rewrite(packets()[0], raw)]
    assert second.sent == [rewrite(packets()[0], plain)]


def test_a_full_socket_costs_one_viewer_its_packet() -> None:
    """Nothing is kept, and nobody else notices."""
    fan_out = RawFanOut()
    (slow, stuck), (quick, free) = make(1, raw=True), make(2, raw=True)
    stuck.full = True
    fan_out.forward(packets()[0], (slow, quick))

    assert (stuck.sent, len(free.sent), fan_out.dropped) == ([], 1, 1)


def test_the_setting_chooses() -> None:
    """`auto` is the raw way here, because the self-test passes with the libraries that are installed."""
    assert RAW_WAY_WORKS
    assert isinstance(choose("auto"), RawFanOut)
    assert isinstance(choose("raw"), RawFanOut)
    assert isinstance(choose("polite"), PoliteFanOut)
