"""What simulated clients and media say to one another: descriptions and candidates, short, and with a number in each.

The engine looks into none of them. The number tells which offer an answer answers, so that a client notices when it is
handed the answer to another one.
"""

from typing import Final

__all__ = ("CANDIDATE", "MEDIA_ANSWER", "MEDIA_OFFER", "answer_to", "number_in", "offer_of")

_HEAD: Final = "v=0\r\no=- "
_TAIL: Final = " 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

CANDIDATE: Final = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"
"""A candidate, with an address of the documentation range."""

MEDIA_OFFER: Final = f"{_HEAD}0{_TAIL}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendonly\r\n"
"""What media offers to every player."""

MEDIA_ANSWER: Final = f"{_HEAD}0{_TAIL}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\n"
"""What media answers to every publisher."""


def offer_of(number: int) -> str:
    """Give the offer of this number."""
    return f"{_HEAD}{number}{_TAIL}"


answer_to: Final = offer_of
"""Give the answer to the offer of this number: it carries the same one."""


def number_in(description: str) -> int:
    """Give the number in a description; -1 when it has none."""
    number = description[len(_HEAD) :].partition(" ")[0]
    return int(number) if number.isdecimal() else -1
