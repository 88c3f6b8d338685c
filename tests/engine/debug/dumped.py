"""A real call that was cut, as the server recorded it and as Chromium saw it: redacted, and small.

Two streams were published to a server, one after the other. The page swallowed what the server answered to the second.
`webrtc_internals.json` is what Chrome's page about connections gives to save, without measurements; `rtcstats.jsonl` is
what a wrapper around `RTCPeerConnection` wrote; `calls.json` holds the header and the records of the reel, as base64.
"""

from pathlib import Path
from typing import Final

import msgspec

from signalreel.debug.renumber import remade
from signalreel.header import decode_header
from signalreel.record import decode_record
from signalreel.reel import MemoryReel

__all__ = ("INTERNALS", "RTCSTATS", "recorded")

_FOLDER: Final = Path(__file__).with_name("dumps")
INTERNALS: Final = _FOLDER / "webrtc_internals.json"
RTCSTATS: Final = _FOLDER / "rtcstats.jsonl"


def recorded() -> MemoryReel:
    """What the server recorded."""
    header, records = msgspec.json.decode((_FOLDER / "calls.json").read_bytes(), type=tuple[bytes, list[bytes]])
    return remade(decode_header(header), [decode_record(record) for record in records])
