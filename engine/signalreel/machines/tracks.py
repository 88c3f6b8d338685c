"""The names of tracks: a stream's picture and its sound, as offers and lists of tracks call them.

Clients know a track by the name in an offer's `idMapping`: `ARDAMSv` or `ARDAMSa` and the id of the stream. Some send
that name back, others the id of the stream alone, which means the stream with both.
"""

from collections.abc import Collection
from typing import Final

from signalreel.events import Track
from signalreel.machines.shapes import Stream
from signalreel.messages import RenditionInformation

__all__ = ("EXCLUDED", "kinds_of", "left_out", "names_of", "renditions_of", "resolved", "wanted_of")

EXCLUDED: Final = "!"
"""An entry of a track list that starts so is left out of what is played; a list of only such takes all others."""

_PREFIXES: Final = {"ARDAMSv": "video", "ARDAMSa": "audio"}
_PREFIX_LENGTH: Final = 7


def wanted_of(tracks: tuple[Track, ...], *, video: bool, audio: bool) -> tuple[Track, ...]:
    """Leave out tracks of a kind that the publisher asked not to send."""
    return tuple(track for track in tracks if {"video": video, "audio": audio}.get(track.kind, True))


def kinds_of(stream: Stream) -> tuple[str, ...]:
    """Which of picture and sound a stream has: what was found of it, else what its publisher asked to send."""
    found = {track.kind for track in stream.tracks} or {"video", "audio"}
    wanted = {"video": stream.video, "audio": stream.audio}
    return tuple(kind for kind in _PREFIXES.values() if wanted[kind] and kind in found)


def names_of(stream: Stream) -> tuple[str, ...]:
    """Name the tracks of a stream."""
    kinds = kinds_of(stream)
    return tuple(prefix + stream.id for prefix, kind in _PREFIXES.items() if kind in kinds)


def renditions_of(stream: Stream) -> tuple[RenditionInformation, ...]:
    """Tell what a stream is sent in: a line for each video track, or one without a picture."""
    audio = sum(track.bitrate for track in stream.tracks if track.kind == "audio")
    pictures = [track for track in stream.tracks if track.kind == "video"]
    if stream.tracks and not pictures:
        return (RenditionInformation(0, 0, 0, audio, ""),)
    return tuple(RenditionInformation(one.width, one.height, one.bitrate, audio, one.codec) for one in pictures)


def left_out(track_list: tuple[str, ...], stream_id: str) -> str:
    """Say which kind of a single stream's tracks a player did not ask for; empty when it is to get all there are.

    A list that asks for neither is about other streams: older pages send the one that they made for a room.
    """
    takes_all = all(entry.startswith(EXCLUDED) for entry in track_list)
    wanted = [
        kind
        for prefix, kind in _PREFIXES.items()
        if not {EXCLUDED + stream_id, EXCLUDED + prefix + stream_id} & set(track_list)
        and (takes_all or {stream_id, prefix + stream_id} & set(track_list))
    ]
    return next(kind for kind in _PREFIXES.values() if kind not in wanted) if len(wanted) == 1 else ""


def resolved(name: str, streams: Collection[str]) -> tuple[str, str]:
    """Say which stream a track's name means, and which kind of its tracks; the kind is empty for all of them.

    A name that is one of `streams` means that stream, even when it looks like the name of a track.
    """
    kind = _PREFIXES.get(name[:_PREFIX_LENGTH], "")
    if not kind or name in streams or len(name) == _PREFIX_LENGTH:
        return name, ""
    return name[_PREFIX_LENGTH:], kind
