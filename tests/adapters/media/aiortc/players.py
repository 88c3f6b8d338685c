"""Players at the ends of real sockets: what each of them decrypts, whichever way it was sent."""

import socket
from typing import Self

from pylibsrtp import Policy, Session

from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.peer import Egress
from tests.adapters.media.aiortc.fakes import FakeTransport, offered

__all__ = ("Player", "Players", "session", "unpadded")

_TIMEOUT = 2.0
_DATAGRAM_MAX = 65_535


def session(direction: int, profile: int = Policy.SRTP_PROFILE_AEAD_AES_256_GCM) -> Session:
    """An SRTP session with the key of these tests."""
    length = 44 if profile == Policy.SRTP_PROFILE_AEAD_AES_256_GCM else 30
    policy = Policy(key=bytes(range(length)), ssrc_type=direction, srtp_profile=profile)
    policy.allow_repeat_tx = True
    return Session(policy)


def unpadded(packet: bytes) -> bytes:
    """The packet without padding, and without the bit that announces it."""
    if not packet[0] & 0x20:
        return packet
    return bytes((packet[0] & ~0x20,)) + packet[1 : -packet[-1]]


class Player(FakeTransport):
    """One viewer with one outgoing stream. It encrypts like the real transport, and keeps what it decrypts."""

    def __init__(self, number: int, sender: socket.socket, *, host: str, profile: int, shifts: bool) -> None:
        super().__init__()
        self.outgoing = session(Policy.SSRC_ANY_OUTBOUND, profile)
        self.incoming = session(Policy.SSRC_ANY_INBOUND, profile)
        self.sender = sender
        self.receiver = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind((host, 0))
        self.receiver.settimeout(0)
        self.out = Out(offered(ssrc=9_000 + number), self)
        self.out.sequence_offset, self.out.timestamp_offset = 1_000 * number, 77 * number
        self.out.shifts_pictures, self.out.picture_offset, self.out.layer_index_offset = shifts, 5 * number, number

    def open(self) -> Egress:
        """Send through the socket from now on."""
        address = self.receiver.getsockname()[:2]
        self.egress = self.out.egress = Egress(self.outgoing._srtp[0], self.outgoing, self.sender, address)
        return self.egress

    def shut(self) -> None:
        """Send through the transport from now on."""
        self.egress = self.out.egress = None

    def hear(self, expected: int = 0) -> list[bytes]:
        """Take what has arrived, and give everything so far. Waits only while there is less than is expected."""
        try:
            while True:
                self.receiver.settimeout(_TIMEOUT if len(self.sent) < expected else 0)
                self.sent.append(self.incoming.unprotect(self.receiver.recv(_DATAGRAM_MAX)))
        except (BlockingIOError, TimeoutError):
            return self.sent


class Players:
    """Several of them, behind one socket of the server or one each. To be closed."""

    def __init__(
        self,
        count: int,
        *,
        host: str = "127.0.0.1",
        shared: bool = True,
        shifts: bool = False,
        opened: bool = True,
        profiles: tuple[int, ...] = (Policy.SRTP_PROFILE_AEAD_AES_256_GCM,),
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.senders = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(1 if shared else count)]
        for sender in self.senders:
            sender.setblocking(False)
        self.all = [
            Player(
                number,
                self.senders[number % len(self.senders)],
                host=host,
                profile=profiles[number % len(profiles)],
                shifts=shifts,
            )
            for number in range(count)
        ]
        self.outs = tuple(player.out for player in self.all)
        if opened:
            for player in self.all:
                player.open()

    def hear(self) -> None:
        """Empty the receive buffers, which are small."""
        for player in self.all:
            player.hear()

    def close(self) -> None:
        """Close the sockets."""
        for opened in (*self.senders, *(player.receiver for player in self.all)):
            opened.close()

    def __enter__(self) -> Self:
        """Use them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self.close()
