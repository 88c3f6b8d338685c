"""What may reach the transport: the gate for descriptions, the gate for candidates and the filter for datagrams.

aiortc and aioice trust their input more than the internet deserves: junk descriptions raise at dozens of places or are
accepted, every candidate is sent packets to, and whoever knows a port can feed the DTLS handshake. Nothing a client
sends gets past this module unchecked. Pure code: no I/O.
"""

import ipaddress
import re
from collections.abc import Callable, Container, Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.errors import DescriptionRefused

__all__ = (
    "Address",
    "Arrival",
    "Candidate",
    "CandidateGate",
    "SeenChecks",
    "SourceFilter",
    "check_text",
    "classify",
    "parse_candidate",
)

Address = tuple[str, int]

_LINES_MAX: Final = 4_000
_LINE_LENGTH_MAX: Final = 2_048
_FORBIDDEN: Final = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)")
"""Control characters, and the line ends that only some parsers see: what one reads as a value the other would read as
a line. TAB is among them: no description uses it."""

_CANDIDATE: Final = re.compile(
    r"(?:candidate:)?([A-Za-z0-9+/\-]{1,32}) ([0-9]{1,3}) ([A-Za-z]{1,8}) ([0-9]{1,10}) "
    r"([0-9A-Za-z.:\-]{2,253}) ([0-9]{1,5}) typ (host|srflx|prflx|relay)(?: [ -~]{0,512})?"
)
_CANDIDATE_LENGTH_MAX: Final = 1_024
_PRIORITY_MAX: Final = (1 << 31) - 1  # RFC 8839, section 5.1
_PORT_MIN: Final = 1_024
"""Below it are services, not peers: a check sent to one is a packet sent to a stranger's resolver or printer."""
_PORT_MAX: Final = 65_535
_STUN_HEADER_SIZE: Final = 20
_ANSWERS: Final = 0x01  # the bit of the first byte that responses and errors have set (RFC 8489, section 5)
_TRANSACTION: Final = slice(8, _STUN_HEADER_SIZE)

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA: Final = tuple(
    ipaddress.ip_network(text) for text in ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32")
)
"""Where clouds answer their own machines with credentials, as far as it is not link-local anyway."""


def check_text(text: str, size_max: int) -> None:
    """Refuse a description by its characters and size alone, before anything parses it."""
    if not text.strip():
        raise DescriptionRefused("the description is empty")
    if len(text) > size_max or len(text.encode("utf-8", "surrogatepass")) > size_max:
        raise DescriptionRefused("the description is too large")
    if _FORBIDDEN.search(text):
        raise DescriptionRefused("the description holds control characters")
    lines = text.split("\n")
    if len(lines) > _LINES_MAX or max(map(len, lines)) > _LINE_LENGTH_MAX:
        raise DescriptionRefused("the description has too many or too long lines")


class Candidate(Struct, frozen=True, gc=False):
    """A remote candidate, as far as it is used: UDP, component 1, a literal address."""

    foundation: str
    priority: int
    address: str
    port: int
    type: str


def parse_candidate(line: str) -> Candidate | None:
    """Read a candidate attribute; `None` when it is malformed, or of a kind that is not used (TCP, RTCP)."""
    if len(line) > _CANDIDATE_LENGTH_MAX:
        return None
    match = _CANDIDATE.fullmatch(line.strip())
    if match is None:
        return None
    foundation, component, protocol, priority, address, port, kind = match.groups()
    if component != "1" or protocol.lower() != "udp":
        return None
    if int(priority) > _PRIORITY_MAX or not _PORT_MIN <= int(port) <= _PORT_MAX:
        return None
    # A peer-reflexive candidate is learned from checks and never signaled (RFC 8839, section 5.1); aioice refuses it.
    if kind == "prflx":
        return None
    return Candidate(foundation, int(priority), address, int(port), kind)


class CandidateGate:
    """Decides for one connection which of the client's candidates are sent packets to.

    Every candidate makes the server send packets to an address of the client's choice: without this gate the server is
    a scanner of its own network and a reflector. Names are not resolved, which also keeps multicast DNS away.
    """

    def __init__(self, *, count_max: int, allow_loopback: bool = False, allowed_networks: Iterable[str] = ()) -> None:
        self._left = count_max
        self._allow_loopback = allow_loopback
        self._allowed: tuple[_Network, ...] = tuple(map(ipaddress.ip_network, allowed_networks))
        self.refused = 0  #: candidates turned away

    def admit(self, line: str) -> Candidate | None:
        """Give the candidate when it may be used. One that is not is counted, and its client is not told."""
        self._left -= 1
        candidate = parse_candidate(line) if self._left >= 0 else None
        if candidate is None or not self._admits(candidate.address):
            self.refused += 1
            return None
        return candidate

    def _admits(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False  # a name, or one of the octal and decimal spellings that only some libraries understand
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        if address.is_loopback:
            return self._allow_loopback
        if isinstance(address, ipaddress.IPv6Address) and _embeds_ipv4(address):
            return False
        if address.is_multicast or address.is_link_local or address.is_unspecified or address.is_reserved:
            return False
        return not any(address.version == network.version and address in network for network in _METADATA)


def _embeds_ipv4(address: ipaddress.IPv6Address) -> bool:
    """Whether an IPv6 address leads to an IPv4 one, past every rule about the latter."""
    nat64, compatible = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")
    return bool(
        address.ipv4_mapped
        or address.sixtofour
        or address.teredo
        or address.is_site_local
        or address in nat64
        or address in compatible
    )


class Arrival(Enum):
    """What a datagram is, by its first byte (RFC 7983, section 7)."""

    STUN = "stun"
    DTLS = "dtls"
    MEDIA = "media"
    JUNK = "junk"


def classify(data: bytes) -> Arrival:
    """Tell what a datagram on a peer's port is."""
    if not data:
        return Arrival.JUNK
    first = data[0]
    if 128 <= first <= 191:  # noqa: PLR2004
        return Arrival.MEDIA
    if first <= 3:  # noqa: PLR2004
        return Arrival.STUN
    if 20 <= first <= 63:  # noqa: PLR2004
        return Arrival.DTLS
    return Arrival.JUNK


class SeenChecks:
    """Remembers the authentic checks of one peer, to tell one that is sent again from elsewhere: a replay.

    Whoever sees a check pass can send it on with another source address, and an agent that follows it sends the call
    there. A check that its own sender repeats comes from the same address again.
    """

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._seen: dict[bytes, Address] = {}

    def is_replay(self, transaction: bytes, source: Address) -> bool:
        """Whether this check has come from another address; remembers it when it has not come at all."""
        known = self._seen.get(transaction)
        if known is not None:
            return known != source
        if len(self._seen) >= self._count_max:
            del self._seen[next(iter(self._seen))]
        self._seen[transaction] = source
        return False


class SourceFilter:
    """Remembers which addresses one peer may send from.

    DTLS and media are taken only from addresses that ICE has verified: a single forged ClientHello from elsewhere can
    stop a handshake for good (OWASP ASVS 5.0, 17.2.6). Connectivity checks themselves must come from unknown addresses:
    those are listened to when they are authentic, are no replays, and come from a bounded number of addresses, because
    aioice remembers each one as a candidate.

    In the other direction it bounds the checks to addresses that nothing came from: a client names them, and whoever is
    there may have nothing to do with it.
    """

    def __init__(
        self,
        user_fragment: str,
        is_authentic: Callable[[bytes], bool],
        *,
        sources_max: int,
        unasked_max: int,
        remembered_max: int,
    ) -> None:
        self._is_authentic = is_authentic
        self._seen = SeenChecks(remembered_max)
        self._user_name = f"{user_fragment}:".encode()
        self._sources_max = sources_max
        self._unasked_left = unasked_max
        self._checking: set[Address] = set()
        self.verified: set[Address] = set()  #: kept up to date by the transport
        self.dropped = 0  #: datagrams turned away
        self.withheld = 0  #: checks of our own that were not sent

    def may_check(self, target: Address) -> bool:
        """Whether one more check may be sent there; counts it."""
        if target in self.verified or target in self._checking:
            return True
        if self._unasked_left == 0:
            self.withheld += 1
            return False
        self._unasked_left -= 1
        return True

    def admits_check(self, data: bytes, source: Address, asked: Container[bytes]) -> bool:
        """Whether a STUN datagram from here is listened to; `asked` holds the transaction ids of our own checks.

        An answer to nothing that we asked is junk, whatever it looks like, and wherever it comes from.
        """
        if len(data) < _STUN_HEADER_SIZE:
            return False
        admitted = data[_TRANSACTION] in asked if data[0] & _ANSWERS else self._admits_request(data, source)
        self.dropped += not admitted
        return admitted

    def _admits_request(self, data: bytes, source: Address) -> bool:
        if self._user_name not in data:
            return False
        known = source in self.verified or source in self._checking
        if not known and len(self._checking) >= self._sources_max:
            return False
        if not self._is_authentic(data) or self._seen.is_replay(data[_TRANSACTION], source):
            return False
        if not known:
            self._checking.add(source)
        return True
