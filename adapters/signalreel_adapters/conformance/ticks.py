"""Ticks: what a test has to hand over before an item counts, and how it is kept.

A captured message is kept without what differs from call to call or is nobody's business: descriptions, candidates,
tokens, ids that the server drew and measured numbers become `*`, so that what is published of it is the same after
every run.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from msgspec import Struct

from signalreel.errors import SignalreelError
from signalreel_adapters.conformance.items import ITEMS, Need

__all__ = ("ANYTHING", "MEDIA_COUNTS", "NoEvidence", "Tick", "Transport", "scrubbed", "tick_of")

Transport = Literal["memory", "websocket", "browser"]
"""Where a message was captured. A browser talks over a WebSocket."""

ANYTHING: Final = "*"
"""What stands for a text that is not kept."""

MEDIA_COUNTS: Final = ("frames", "packets", "messages")
"""What begins the name of a figure that shows media: decoded frames, RTP packets, messages of a data channel."""

_HIDDEN: Final = frozenset(
    {
        "candidate",
        "debugInfo",
        "linkSession",
        "pnsRegistrationToken",
        "sdp",
        "subscriberCode",
        "token",
        "turnServerCredential",
        "turnServerUsername",
    }
)
"""Fields whose text is never kept; that they are empty is."""

_MEASURED: Final = frozenset(
    {"audioBitrate", "bitrate", "date", "fps", "retryAfterMs", "speed", "startTime", "targetBitrate", "videoBitrate"}
)
"""Fields whose number differs from run to run."""

_DRAWN: Final = re.compile(r"(?:(?<=ARDAMS[av])|(?<![a-z2-7]))[a-z2-7]{24}(?![a-z2-7])")
"""An id that a runtime drew, 120 bits in base32; also within the name of a track."""


class NoEvidence(SignalreelError):
    """A test ticked an item without having shown it. The message says what is missing."""


class Tick(Struct, frozen=True, omit_defaults=True):
    """That a test has shown an item.

    `said` is what brought the message about, where that was a message too. Where nothing had to come, `captured` is
    what the client said, and `unanswered` is set.
    """

    item: str
    transport: Transport
    test: str
    captured: dict[str, Any]
    said: dict[str, Any] | None = None
    media: dict[str, float] | None = None
    unanswered: bool = False
    flow: str = ""  #: the transcript it stands in, where it is one


def tick_of(
    item: str,
    *,
    transport: Transport,
    test: str,
    captured: Mapping[str, object],
    said: Mapping[str, object] | None = None,
    media: Mapping[str, float] | None = None,
    unanswered: bool = False,
    flow: str = "",
) -> Tick:
    """Make a tick of what was captured. Raises `NoEvidence` when that shows nothing, or there is no such item."""
    if item not in ITEMS:
        raise NoEvidence(f"{item}: there is no such item")
    for message in (captured, said):
        if message is not None and not isinstance(message.get("command"), str):
            raise NoEvidence(f"{item}: what was captured is no message of the protocol: {dict(message)!r}")
    if ITEMS[item].need is Need.MEDIA:
        if transport == "memory":
            raise NoEvidence(f"{item}: no media flows in memory")
        if not any(name.startswith(MEDIA_COUNTS) and figure > 0 for name, figure in (media or {}).items()):
            raise NoEvidence(f"{item}: a figure of media is missing: {', '.join(MEDIA_COUNTS)}")
    return Tick(
        item=item,
        transport=transport,
        test=test,
        captured=cast(dict[str, Any], scrubbed(captured)),
        said=None if said is None else cast(dict[str, Any], scrubbed(said)),
        media=None if media is None else dict(media),
        unanswered=unanswered,
        flow=flow,
    )


def scrubbed(value: object, name: str = "") -> object:
    """Give a message without what differs from call to call or is secret."""
    match value:
        case str():
            return _scrubbed_text(value, name)
        case bool() | None:
            return value
        case int() | float():
            return ANYTHING if name in _MEASURED else value
        case Mapping():
            fields = cast(Mapping[str, object], value).items()
            return {_DRAWN.sub(ANYTHING, key): scrubbed(field, key) for key, field in fields}
        case list() | tuple():
            return [scrubbed(item, name) for item in cast(list[object], value)]
        case _:
            raise NoEvidence(f"{type(value).__name__} in a message is nothing that JSON has")


def _scrubbed_text(text: str, name: str) -> str:
    if name in _HIDDEN:
        return ANYTHING if text else ""
    if text.startswith("{"):  # an object as text, like that of `broadcastObject`
        try:
            return json.dumps(scrubbed(json.loads(text)), ensure_ascii=False)
        except ValueError:
            pass
    return _DRAWN.sub(ANYTHING, text)
