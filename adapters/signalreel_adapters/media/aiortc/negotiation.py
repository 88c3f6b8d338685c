"""What we answer to a publisher and what we offer to a player.

To players the server offers, so it dictates payload types, extension ids and SSRCs: one map for the whole connection,
whatever the publishers in it use, because one payload type must not mean two codecs in one BUNDLE (RFC 8843, section
9.1). Packets are rewritten to that map as they are forwarded. Pure code over descriptions as data.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, structs

from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.sdp import Codec, Description, LocalSection, Section

__all__ = (
    "AUDIO_LEVEL",
    "ORIENTATION",
    "SEND_TIME",
    "Answer",
    "Offered",
    "Plan",
    "PublishedTrack",
    "answer",
    "setup_of_answer",
    "track_name",
)

_MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
_REPAIRED_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_ORIENTATION: Final = "urn:3gpp:video-orientation"

AUDIO_LEVEL: Final = 1
SEND_TIME: Final = 2
ORIENTATION: Final = 3
"""Header extension ids in all that we send. transport-cc is not offered: without it browsers estimate by REMB."""

_FEEDBACK: Final = ("nack", "nack pli", "ccm fir", "goog-remb")
_PREFERRED_TYPES: Final = {"VP8": 96, "VP9": 98, "H264": 102, "AV1": 45, "opus": 111}
_TYPES: Final = (*range(96, 128), *range(35, 64))
"""Payload types free for use behind rtcp-mux (RFC 5761, section 4; RFC 8834 for the lower range)."""

_VIDEO_CLOCK: Final = 90_000
_AUDIO_CLOCK: Final = 48_000
_AUDIO_CHANNELS: Final = 2  # whatever is inside (RFC 7587, section 7)

_H264_PROFILES: Final = (
    (0x42, 0x4F, 0x40, "42e0"),  # constrained baseline, in three spellings
    (0x4D, 0x8F, 0x80, "42e0"),
    (0x58, 0xCF, 0xC0, "42e0"),
    (0x42, 0x4F, 0x00, "4200"),  # baseline
    (0x58, 0xCF, 0x80, "4200"),
    (0x4D, 0xAF, 0x00, "4d00"),  # main
    (0x64, 0xFF, 0x00, "6400"),  # high
    (0x64, 0xFF, 0x0C, "640c"),  # constrained high
)
"""Profiles that browsers decode: profile_idc, the bits of profile-iop that tell it, their value, our one spelling
(RFC 6184, table 5)."""

_H264_PROFILE: Final = "42e0"  # what browsers take one without a profile for
_H264_LEVEL: Final = "1f"  # 3.1, as browsers write it; with level asymmetry allowed they do not compare it
_H264_PROFILE_LEVEL_ID: Final = re.compile("[0-9a-f]{6}", re.IGNORECASE)


class PublishedTrack(Struct, frozen=True):
    """One section of a publisher's offer as it was agreed on. An extension id of 0 means that it is not used."""

    kind: str
    mid: str
    codec: Codec
    repair_type: int  #: payload type of retransmissions; 0 without
    mid_id: int
    rid_id: int
    repaired_rid_id: int
    audio_level_id: int
    orientation_id: int
    layers: tuple[str, ...]
    ssrcs: tuple[int, ...]
    repairs: tuple[tuple[int, int], ...]


class Answer(Struct, frozen=True):
    """What was agreed on with a publisher."""

    tracks: tuple[PublishedTrack, ...]
    data: Section | None  #: the section of its data channels
    sections: list[LocalSection]


def track_name(kind: str, stream_id: str) -> str:
    """Name a track as the Ant Media clients know it."""
    return f"ARDAMS{'v' if kind == 'video' else 'a'}{stream_id}"


def setup_of_answer(offered: str) -> str:
    """Choose our side of the DTLS handshake. We wait, so that the client's address is verified before we send."""
    return "active" if offered == "passive" else "passive"


def answer(
    description: Description, *, codecs: Iterable[str], wanted: Iterable[str], tracks_max: int, message_bytes_max: int
) -> Answer:
    """Agree on what a publisher offers. Raises `DescriptionRefused` when there is nothing to agree on."""
    allowed = {name.lower() for name in codecs}
    kinds = set(wanted)
    tracks: list[PublishedTrack] = []
    sections: list[LocalSection] = []
    data: Section | None = None
    for section in description.sections:
        if section.kind == "application" and not section.rejected and data is None:
            data = section
            sections.append(LocalSection("application", section.mid, message_bytes_max=message_bytes_max))
            continue
        room = section.kind in kinds and not section.rejected and len(tracks) < tracks_max
        track = _agree(section, allowed) if room else None
        if track is None:
            sections.append(LocalSection(section.kind, section.mid, formats=section.formats))
            continue
        sends = section.direction in {"sendrecv", "sendonly"}
        if sends:
            tracks.append(track)
        sections.append(_answer_section(track, section, "recvonly" if sends else "inactive"))
    if not tracks and data is None:
        raise DescriptionRefused("nothing that is offered can be taken: no codec in common, or nothing is sent")
    return Answer(tuple(tracks), data, sections)


def _agree(section: Section, allowed: set[str]) -> PublishedTrack | None:
    usable = [codec for codec in section.codecs if codec.name.lower() in allowed and _is_usable(codec, section.kind)]
    if not usable:
        return None
    codec = usable[0]
    repair = (each for each in section.codecs if each.name.lower() == "rtx")
    ids = {uri: ident for ident, uri in section.extensions}
    return PublishedTrack(
        kind=section.kind,
        mid=section.mid,
        codec=structs.replace(codec, name=_canonical_name(codec.name)),
        repair_type=next((each.payload_type for each in repair if each.parameter("apt") == str(codec.payload_type)), 0),
        mid_id=ids.get(_MID, 0),
        rid_id=ids.get(_RID, 0),
        repaired_rid_id=ids.get(_REPAIRED_RID, 0),
        audio_level_id=ids.get(_AUDIO_LEVEL, 0),
        orientation_id=ids.get(_ORIENTATION, 0),
        layers=section.layers,
        ssrcs=section.ssrcs,
        repairs=section.repairs,
    )


def _canonical_name(name: str) -> str:
    return next((known for known in _PREFERRED_TYPES if known.lower() == name.lower()), name)


def _is_usable(codec: Codec, kind: str) -> bool:
    """Whether we forward this flavor of a codec: those that every known player can decode."""
    name = codec.name.lower()
    if kind == "audio":
        return (name, codec.clock_rate, codec.channels) == ("opus", _AUDIO_CLOCK, _AUDIO_CHANNELS)
    if (codec.clock_rate, codec.channels) != (_VIDEO_CLOCK, 1):
        return False
    if name == "h264":
        # Mode 0 cannot carry a picture that is larger than a packet.
        return codec.parameter("packetization-mode") == "1" and _h264_profile(codec) is not None
    if name == "vp9":
        return codec.parameter("profile-id") in {None, "0"}
    if name == "av1":
        return codec.parameter("profile") in {None, "0"}
    return name == "vp8"


def _h264_profile(codec: Codec) -> str | None:
    """Give the profile in our spelling; `None` for one that browsers do not decode."""
    text = codec.parameter("profile-level-id")
    if text is None:
        return _H264_PROFILE
    if not _H264_PROFILE_LEVEL_ID.fullmatch(text):
        return None
    number, constraints, _ = bytes.fromhex(text)
    spellings = (profile for idc, mask, bits, profile in _H264_PROFILES if (number, constraints & mask) == (idc, bits))
    return next(spellings, None)


def _for_players(codec: Codec) -> Codec:
    """Give a publisher's codec as players are offered it, but for the payload type.

    Of its parameters only what a decoder must know is kept, and in our words. A publisher can write anything there,
    each wording would take payload types, and a connection has few: one publisher could leave none to the others. As it
    is there are fewer flavors than types. Parameter sets of H264 are always in the stream (RFC 7742, section 6.2).
    """
    match codec.name:
        case "H264":
            profile = _h264_profile(codec) or _H264_PROFILE
            parameters = f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}{_H264_LEVEL}"
        case "VP9":
            parameters = "profile-id=0"
        case "AV1":
            parameters = "level-idx=5;profile=0;tier=0"
        case "opus":
            stereo = "1" in {codec.parameter("stereo"), codec.parameter("sprop-stereo")}
            parameters = "minptime=10;" + ("sprop-stereo=1;stereo=1;" if stereo else "") + "useinbandfec=1"
        case _:
            parameters = ""
    return Codec(0, codec.name, codec.clock_rate, codec.channels, parameters)


def _answer_section(track: PublishedTrack, section: Section, direction: str) -> LocalSection:
    video = track.kind == "video"
    codecs = [structs.replace(track.codec, feedback=_FEEDBACK if video else ())]
    if track.repair_type:
        codecs.append(_repair_codec(track.repair_type, track.codec.payload_type))
    used = {_MID, _AUDIO_LEVEL, _ORIENTATION, _SEND_TIME}
    if track.layers:
        used |= {_RID, _REPAIRED_RID}
    return LocalSection(
        track.kind,
        track.mid,
        direction=direction,
        codecs=tuple(codecs),
        extensions=tuple((ident, uri) for ident, uri in section.extensions if uri in used),
        layers=track.layers,
    )


def _repair_codec(payload_type: int, repaired: int) -> Codec:
    return Codec(payload_type, "rtx", _VIDEO_CLOCK, parameters=f"apt={repaired}")


class Offered(Struct, frozen=True):
    """One track in an offer to a player."""

    mid: str
    stream_id: str
    kind: str
    index: int  #: which of the stream's tracks
    codec: Codec  #: under the payload type of this connection
    repair_type: int
    ssrc: int
    repair_ssrc: int


class Plan:
    """The sections of one player's connection, over all its renegotiations.

    A section never moves and its mid never changes (RFC 8829, section 5.2.2). One whose stream has left becomes
    inactive, and is used again for the next track of its kind, with new SSRCs: rooms in which people come and go must
    not grow without end.
    """

    def __init__(self, *, sections_max: int, message_bytes_max: int) -> None:
        self._sections_max = sections_max
        self._message_bytes_max = message_bytes_max
        self._kinds: list[str] = []  # of every section, by its mid
        self._offered: dict[int, Offered] = {}
        self._types: dict[tuple[Codec, bool], int] = {}  # by codec, and whether it is of its retransmissions

    def show(self, wanted: list[tuple[str, list[PublishedTrack]]]) -> list[Offered]:
        """Plan to show these streams alone; gives what the next offer contains. What does not fit is left out.

        The first picture and the first sound of every stream go before anybody's second ones: a few publishers with
        many tracks must not keep the others out.
        """
        tracks = {(stream_id, index): track for stream_id, listed in wanted for index, track in enumerate(listed)}
        ranks = {(stream_id, index): rank for stream_id, listed in wanted for index, rank in enumerate(_ranks(listed))}
        for at, offered in list(self._offered.items()):
            track = tracks.get((offered.stream_id, offered.index))
            if track is None or not _same_codec(track, offered):
                del self._offered[at]
        shown = {(offered.stream_id, offered.index) for offered in self._offered.values()}
        for key in sorted(tracks, key=ranks.__getitem__):
            if key not in shown:
                self._place(*key, tracks[key], ranks)
        if "application" not in self._kinds:
            self._kinds.append("application")
        return list(self._offered.values())

    def _find_place(self, kind: str, rank: int, ranks: dict[tuple[str, int], int]) -> int | None:
        """Give the number of a section that may carry one more track of a kind."""
        for at, found in enumerate(self._kinds):
            if found == kind and at not in self._offered:
                return at
        # One place is kept for the data channel, which comes last into the first offer. A section's kind is for ever,
        # so second tracks open new ones in the first half only, or one kind could take them all.
        places = self._sections_max - ("application" not in self._kinds) if not rank else self._sections_max // 2
        if len(self._kinds) < places:
            return len(self._kinds)
        if rank:
            return None
        extra = [
            (ranks[offered.stream_id, offered.index], at)
            for at, offered in self._offered.items()
            if offered.kind == kind and ranks[offered.stream_id, offered.index]
        ]
        if not extra:
            return None
        del self._offered[max(extra)[1]]
        return max(extra)[1]

    def _place(self, stream_id: str, index: int, track: PublishedTrack, ranks: dict[tuple[str, int], int]) -> None:
        at = self._find_place(track.kind, ranks[stream_id, index], ranks)
        if at is None:
            return
        codec = _for_players(track.codec)
        payload_type = self._payload_type(codec, repair=False)
        repair_type = self._payload_type(codec, repair=True) if track.kind == "video" and track.repair_type else 0
        if at == len(self._kinds):
            self._kinds.append(track.kind)
        self._offered[at] = Offered(
            mid=str(at),
            stream_id=stream_id,
            kind=track.kind,
            index=index,
            codec=structs.replace(codec, payload_type=payload_type),
            repair_type=repair_type,
            ssrc=_draw_ssrc(),
            repair_ssrc=_draw_ssrc() if repair_type else 0,
        )

    def _payload_type(self, codec: Codec, *, repair: bool) -> int:
        """Give the payload type of a codec on this connection. Once given it is never another's (RFC 3264, 8.3.2)."""
        key = codec, repair
        if key not in self._types:
            taken = set(self._types.values())
            preferred = _PREFERRED_TYPES[codec.name] + repair
            self._types[key] = next(each for each in (preferred, *_TYPES) if each not in taken)
        return self._types[key]

    @property
    def data_mid(self) -> str:
        """The mid of the data channel's section."""
        return str(self._kinds.index("application"))

    def sections(self) -> list[LocalSection]:
        """Give the sections of the offer, in order."""
        return [self._section(at, kind) for at, kind in enumerate(self._kinds)]

    def _section(self, at: int, kind: str) -> LocalSection:
        if kind == "application":
            return LocalSection(kind, str(at), message_bytes_max=self._message_bytes_max)
        offered = self._offered.get(at)
        if offered is None:
            # An inactive section must still list a codec; one of the connection's own will do.
            codec = next(
                structs.replace(codec, payload_type=payload_type)
                for (codec, repair), payload_type in self._types.items()
                if _kind_of(codec.name) == kind and not repair
            )
            return LocalSection(kind, str(at), codecs=(codec,))
        video = kind == "video"
        codecs = [structs.replace(offered.codec, feedback=_FEEDBACK if video else ())]
        if offered.repair_type:
            codecs.append(_repair_codec(offered.repair_type, offered.codec.payload_type))
        return LocalSection(
            kind,
            offered.mid,
            direction="sendonly",
            codecs=tuple(codecs),
            extensions=((SEND_TIME, _SEND_TIME), (ORIENTATION, _ORIENTATION))
            if video
            else ((AUDIO_LEVEL, _AUDIO_LEVEL),),
            stream=offered.stream_id,
            track=track_name(kind, offered.stream_id),
            ssrc=offered.ssrc,
            repair_ssrc=offered.repair_ssrc,
        )

    def id_mapping(self) -> dict[str, str]:
        """Give the track name of every mid that carries one."""
        return {
            offered.mid: track_name(offered.kind, offered.stream_id) for _, offered in sorted(self._offered.items())
        }


def _ranks(tracks: Iterable[PublishedTrack]) -> list[int]:
    """Say of each of a stream's tracks how many of its kind come before it."""
    kinds = [track.kind for track in tracks]
    return [kinds[:at].count(kind) for at, kind in enumerate(kinds)]


def _same_codec(track: PublishedTrack, offered: Offered) -> bool:
    return structs.replace(_for_players(track.codec), payload_type=offered.codec.payload_type) == offered.codec


def _kind_of(codec: str) -> str:
    return "audio" if codec == "opus" else "video"


def _draw_ssrc() -> int:
    return secrets.randbelow((1 << 32) - 1) + 1
