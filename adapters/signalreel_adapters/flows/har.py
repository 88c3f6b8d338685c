"""Reading the archive that a browser's network panel saves (HAR 1.2), with the WebSocket messages that Chrome adds."""

from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field

from signalreel.errors import SignalreelError
from signalreel.identifiers import is_valid_name
from signalreel_adapters.flows.recording import Exchange, write_flow

__all__ = ("HAR_BYTES_MAX", "HarError", "flow_from_har")

HAR_BYTES_MAX: Final = 268_435_456
"""The largest archive that is read: 256 MiB, which a long call with a page's pictures may come near to."""

_TEXT: Final = 1
"""The opcode of a text frame (RFC 6455, section 5.2)."""


class HarError(SignalreelError):
    """An archive holds no call."""


class _Frame(Struct):
    type: Annotated[str, Meta(pattern="^(send|receive)$")]
    time: float
    data: str
    opcode: int = _TEXT


class _Request(Struct):
    url: str


class _Entry(Struct):
    request: _Request
    frames: list[_Frame] = field(name="_webSocketMessages", default_factory=list)


class _Log(Struct):
    entries: list[_Entry]


class _Archive(Struct):
    log: _Log


def flow_from_har(data: bytes, *, title: str) -> str:
    """Write the flow of the calls in an archive: each WebSocket is a client. Raises `HarError`.

    A WebSocket that never carried a text is left out.
    """
    try:
        archive = msgspec.json.decode(data, type=_Archive)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HarError(f"this is no HTTP archive: {error}") from error
    sockets = [entry for entry in archive.log.entries if any(frame.opcode == _TEXT for frame in entry.frames)]
    if not sockets:
        raise HarError(
            "this archive holds no WebSocket messages; open Chrome's network panel before the call begins, "
            "and save with `Save all as HAR with content`"
        )
    timed = [
        (
            frame.time,
            Exchange(
                f"client{number}",
                "send" if frame.type == "send" else "receive",
                frame.data,
                _app_of(entry.request.url),
            ),
        )
        for number, entry in enumerate(sockets, start=1)
        for frame in entry.frames
        if frame.opcode == _TEXT
    ]
    timed.sort(key=lambda one: one[0])
    return write_flow([exchange for _, exchange in timed], title=title, app=_app_of(sockets[0].request.url))


def _app_of(url: str) -> str:
    app = urlsplit(url).path.strip("/").partition("/")[0]
    return app if is_valid_name(app) else "live"
