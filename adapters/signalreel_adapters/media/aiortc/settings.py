"""The settings of the aiortc adapter: what it offers, what it admits, and every limit, by name.

They decide nothing on a reel: what they lead to arrives there as events.
"""

import ipaddress
import re
from pathlib import Path
from typing import Final, Literal, Self

from msgspec import Struct, structs

__all__ = ("ANY_HOST", "LOOPBACK", "AiortcSettings", "TurnServer")

LOOPBACK = "127.0.0.1"
_PORT_MAX: Final = 65_535
_TURN_URI: Final = re.compile(r"turn:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound


class TurnServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relay through which the server itself can be reached, where none of its own ports can."""

    uri: str
    """`turn:host:port`, with `?transport=tcp` to reach it over TCP."""

    username: str
    credential_file: str
    """The file that holds the password, so that it stands in no settings. White space around it is not part of it. It
    is read for every peer: a new password needs no restart."""

    only: bool = False
    """Whether nothing but the relay is offered: no address of this machine is told to anybody."""

    def __post_init__(self) -> None:
        """Refuse an address that is none. Raises `ValueError`."""
        if not _TURN_URI.fullmatch(self.uri):
            raise ValueError("the address of a TURN server is turn:host:port")

    def credential(self) -> str:
        """Read the password. Raises `OSError` and `UnicodeDecodeError`."""
        return Path(self.credential_file).read_text(encoding="utf-8").strip()


class AiortcSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the adapter obeys. Times in seconds, rates in bit/s, sizes in bytes."""

    hosts: tuple[str, ...] = ()
    """Addresses offered as host candidates. Empty: loopback and every address of this machine, so that a browser on
    this machine connects as well as one elsewhere."""

    advertised: tuple[str, ...] = ()
    """Addresses that candidates name instead of the hosts that sockets are bound to: those under which the others reach
    a server behind a NAT that gives every port its own number again. Empty: the hosts themselves."""

    transport: Literal["one-port", "port-each"] = "port-each"
    """`one-port`: all peers share one UDP port, and the server is an ICE-lite agent on it. `port-each`: each peer has
    sockets of its own."""

    port: int = 0
    """The UDP port of `one-port`; 0 for any free one. `port-each` has no use for it."""

    this_machine_only: bool = False
    """Whether the port of `one-port` answers this machine alone, at whichever of its addresses. From elsewhere not even
    a check is read; that a network brings us a packet from one of our own addresses is for the kernel to prevent, and
    it does (RFC 1812, section 5.3.8)."""

    ports: tuple[int, int] | None = None
    """First and last UDP port of the range for `port-each`; `None` for any. Each peer takes one for every host, and
    whoever finds none left is refused with `notSetLocalDescription`."""

    turn: TurnServer | None = None
    """The relay to be offered by `port-each`. `one-port` has none: it is for servers that can be reached."""

    allow_loopback: bool = False
    """Whether a candidate of a client may name a loopback address: for clients on this machine alone. A browser here
    connects without it as well, because its own checks tell us where it is."""

    allowed_networks: tuple[str, ...] = ()
    """Networks (`10.0.0.0/8`) from which candidates are admitted although they are of a kind that is denied."""

    codecs: tuple[str, ...] = ("VP8", "H264", "VP9", "AV1", "opus")
    """What this adapter forwards, by the names of an rtpmap; the engine's settings say which of it may be published. Of
    these the publisher's own order decides."""

    fan_out: Literal["auto", "gso", "raw", "polite"] = "auto"
    """How packets are sent to viewers: whole frames at a time, packet by packet, or through the libraries' own way.
    `auto` tests at start which of them work here, and takes the first."""

    connect_timeout: float = 15.0
    """From a description until ICE and DTLS are up. ICE alone would wait for more candidates without end."""

    silence_timeout: float = 12.0
    """A connected peer that sent nothing for so long is lost. Browsers send RTCP every second, checks every few."""

    close_timeout: float = 5.0
    """How long a transport may take to say goodbye."""

    description_bytes_max: int = 81_920
    """Size of a client's description: what a real server takes as a whole message. Browsers send 2 to 20 KB."""

    offer_sections_max: int = 8
    """Media sections in a publisher's offer."""

    tracks_per_publisher_max: int = 4
    """Tracks taken from one publisher, the first of its offer: camera, microphone, screen and its sound. The others are
    turned down in the answer."""

    viewer_sections_max: int = 128
    """Media sections in an offer to a player. What does not fit is left out: second tracks before first ones, later
    streams before earlier ones."""

    codecs_per_section_max: int = 80
    """Payload types in one media section; Chromium lists about forty."""

    candidates_max: int = 30
    """Candidates taken from one client for one connection, those in its descriptions included."""

    unasked_checks_max: int = 32
    """Connectivity checks of one connection to addresses that it has not checked us from: packets to wherever a client
    says. A browser has some eight addresses, and its own checks arrive before ours have been sent twice."""

    inbox_max: int = 128
    """Descriptions and candidates of one peer that wait for their turn."""

    receive_queue_max: int = 64
    """Datagrams that wait for DTLS. A handshake needs about ten."""

    sources_max: int = 64
    """Addresses from which one peer's connectivity checks are listened to."""

    checks_remembered_max: int = 128
    """Connectivity checks of one peer that are remembered, so that nobody else can send one of them again: some five
    minutes of them."""

    encoders_max: int = 16
    """Processes that encode renditions at a time, one for each published picture that has a ladder and is watched in
    it. While there are so many, other pictures are played as they are published."""

    streams_per_publisher_max: int = 32
    """SSRCs learned from one publisher, retransmission streams included."""

    video_bitrate_max: int = 2_500_000
    """What publishers are told to stay below, by REMB. 0 tells them nothing."""

    keyframe_interval: float = 0.5
    """Keyframe requests of all viewers for one layer become at most one in this time."""

    bitrate_interval: float = 3.0
    """How often a player's bitrate is reported. 0: never."""

    tracks_interval: float = 3.0
    """How often a stream's tracks are looked at for a change worth a report."""

    buffered_bytes_max: int = 1_048_576
    """Data-channel bytes that may wait for one player. What comes on top of that is dropped for this player."""

    buffered_messages_max: int = 1_024
    """Data-channel messages that may wait for one player: each costs a few hundred bytes beside its own."""

    messages_per_second: float = 500.0
    """Data-channel messages heard from one client, four seconds' worth of them at once; what comes on top of that is
    dropped. A page may send a file of 32 MB in one go, in the pieces of 16 000 bytes that the clients send."""

    deliveries_per_second: float = 2_000.0
    """Data-channel messages sent on for one stream, to all who hear it together, four seconds' worth of them at once.
    Each keeps a processor busy for up to half a millisecond."""

    message_bytes_max: int = 65_536
    """Data-channel message taken from a client; announced in the description. The clients send pieces of 16 000."""

    fragments_max: int = 2_048
    """Pieces of data-channel messages of one peer that wait for the ones before them. A peer may have a megabyte under
    way, in pieces of some 1 150 bytes, and one lost piece makes the others wait."""

    channel_numbers_max: int = 1_024
    """Numbers that a peer's data channels may have. Browsers use no higher ones."""

    data_channels_max: int = 8
    """Data channels one client may open; the first carries, the others are closed."""

    player_messages: Literal["none", "publisher", "all"] = "all"
    """Who gets what a player says on its data channel: nobody, the publishers it plays, or their other players too."""

    def __post_init__(self) -> None:
        """Refuse what could never work. Raises `ValueError`."""
        if not 0 <= self.port <= _PORT_MAX:
            raise ValueError(f"{self.port} is no port")
        for address in self.advertised:
            ipaddress.ip_address(address)  # candidates name addresses, and a host's name is none
        if self.ports is not None and not 0 < self.ports[0] <= self.ports[1] <= _PORT_MAX:
            raise ValueError(f"{self.ports[0]} to {self.ports[1]} is no range of ports")

    @classmethod
    def for_bind(cls, host: str, settings: Self | None = None) -> Self:
        """Choose the addresses to offer from the one the server listens on.

        Listening on loopback means that everybody is on this machine: only loopback is offered, or on one port every
        address of the machine, to this machine alone. Firefox needs that: it never goes from an address of the machine
        to loopback, and uses no other. Loopback candidates of clients stay denied: clients here are found by their own
        checks, and a page from elsewhere, in a browser here, must not have packets sent to the services of this
        machine. Listening everywhere offers everything; listening on one address offers that one.
        """
        chosen = settings if settings is not None else cls()
        if host in {LOOPBACK, "localhost", "::1"}:
            if chosen.transport == "one-port":
                return structs.replace(chosen, hosts=(), this_machine_only=True)
            return structs.replace(chosen, hosts=(LOOPBACK,))
        if host in ANY_HOST:
            return structs.replace(chosen, hosts=())
        return structs.replace(chosen, hosts=(host,))
