"""Descriptions as data: read from a client's text, and written as ours.

Reading is strict and complete: what is not understood is left out, what is malformed where it matters is refused, and
nothing of a client's text survives but tokens, numbers and parameters of a known alphabet, so no client can put a line
into a description that another one gets. What to answer and what to offer is decided in `negotiation`.
RFC 8866 (SDP), RFC 8829 (JSEP), RFC 8843 (BUNDLE), RFC 8853 (simulcast).
"""

import re
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.filter import check_text
from signalreel_adapters.media.aiortc.rtp import RTCP_TYPES

__all__ = ("Codec", "Description", "Fingerprint", "LocalSection", "LocalTransport", "Section", "parse", "render")

_MEDIA: Final = re.compile(r"m=(audio|video|application) ([0-9]{1,5}) ([A-Z/]{1,32}) ([ -~]{1,1024})")
_MEDIA_OF_ANY_KIND: Final = re.compile(r"m=([a-z]{1,16}) .*")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-]{1,32}")
_ICE: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD_LENGTH_MIN: Final = 22
_RTPMAP: Final = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9\-]{1,32})/([0-9]{1,6})(?:/([1-9]))?")
_PARAMETERS: Final = re.compile(r"[A-Za-z0-9=;,.+\-/ ]{1,512}")
_EXTMAP: Final = re.compile(r"([0-9]{1,3})(?:/[a-z]{1,8})? ([!-~]{1,256})(?: .*)?")
_FINGERPRINT: Final = re.compile(r"(sha-256|sha-384|sha-512) ((?:[0-9A-F]{2}:){31,63}[0-9A-F]{2})", re.IGNORECASE)
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_SETUPS: Final = frozenset({"actpass", "active", "passive"})
_PROFILES: Final = {"audio": "UDP/TLS/RTP/SAVPF", "video": "UDP/TLS/RTP/SAVPF", "application": "UDP/DTLS/SCTP"}
_PORT_MAX: Final = 65_535
_PAYLOAD_TYPE_MAX: Final = 127
_EXTENSION_ID_MAX: Final = 14  # what fits a one-byte header extension (RFC 8285, section 4.2)
_SSRC_MAX: Final = 0xFFFF_FFFF
_SSRCS_PER_SECTION_MAX: Final = 64
_LAYERS_MAX: Final = 4
_CANDIDATES_READ_MAX: Final = 256


class Codec(Struct, frozen=True, gc=False):
    """One payload type of a section."""

    payload_type: int
    name: str  #: as in the rtpmap
    clock_rate: int
    channels: int = 1
    parameters: str = ""  #: of the fmtp line
    feedback: tuple[str, ...] = ()  #: written, never read: we ask for what we use

    def parameter(self, name: str) -> str | None:
        """Give one parameter of the fmtp line."""
        for part in self.parameters.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


class Fingerprint(Struct, frozen=True, gc=False):
    """The hash of a certificate."""

    algorithm: str
    value: str


class Section(Struct, frozen=True):
    """One media section of a client's description."""

    kind: str  #: `audio`, `video` or `application`
    mid: str
    formats: str  #: as listed in the m-line, for the line that turns the section down
    rejected: bool
    direction: str
    setup: str
    user_fragment: str
    password: str
    fingerprints: tuple[Fingerprint, ...]
    candidates: tuple[str, ...]
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[tuple[int, str], ...] = ()  #: (id, URI)
    ssrcs: tuple[int, ...] = ()
    repairs: tuple[tuple[int, int], ...] = ()  #: (SSRC, SSRC of its retransmissions)
    layers: tuple[str, ...] = ()  #: the rids of a simulcast, in the order of the description
    sctp_port: int = 0
    message_bytes_max: int = 0


class Description(Struct, frozen=True):
    """A client's description."""

    sections: tuple[Section, ...]
    ice_lite: bool

    @property
    def transport(self) -> Section:
        """The section that carries the transport of the whole BUNDLE: the first that was not rejected."""
        return next(section for section in self.sections if not section.rejected)


def parse(text: str, *, size_max: int, sections_max: int, codecs_max: int) -> Description:
    """Read a client's description. Raises `DescriptionRefused` when it is not one that we can work with."""
    check_text(text, size_max)
    session: list[str] = []
    media: list[list[str]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            media.append([line])
        elif line:
            (media[-1] if media else session).append(line)
    if not session or session[0] != "v=0":
        raise DescriptionRefused("the description does not start with v=0")
    if not media:
        raise DescriptionRefused("the description has no media section")
    if len(media) > sections_max:
        raise DescriptionRefused("the description has too many media sections")
    sections = tuple(_section(lines, session, codecs_max) for lines in media)
    _check_bundle(session, sections)
    return Description(sections, "a=ice-lite" in session)


def _check_bundle(session: list[str], sections: tuple[Section, ...]) -> None:
    used = [section for section in sections if not section.rejected]
    if not used:
        raise DescriptionRefused("every media section is rejected")
    mids = [section.mid for section in sections]
    if len(set(mids)) != len(mids):
        raise DescriptionRefused("two media sections have the same mid")
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE ")]
    bundled = set(groups[0]) if groups else set[str]()
    if len(used) > 1 and not {section.mid for section in used} <= bundled:
        raise DescriptionRefused("not all media sections are in one BUNDLE group")
    first = used[0]
    if not _ICE.fullmatch(first.user_fragment):
        raise DescriptionRefused("the ice-ufrag is missing or malformed")
    if not _ICE.fullmatch(first.password) or len(first.password) < _PASSWORD_LENGTH_MIN:
        raise DescriptionRefused("the ice-pwd is missing or malformed")
    if not first.fingerprints:
        raise DescriptionRefused("a fingerprint of a known kind is missing")
    if first.setup not in _SETUPS:
        raise DescriptionRefused("the setup attribute is missing or unknown")


def _attributes(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name, []).append(value.strip())
    return found


def _section(lines: list[str], session: list[str], codecs_max: int) -> Section:
    match = _MEDIA.fullmatch(lines[0])
    if match is None or int(match[2]) > _PORT_MAX:
        named = _MEDIA_OF_ANY_KIND.fullmatch(lines[0])
        if named is not None and named[1] not in _PROFILES:
            raise DescriptionRefused("a media section is of an unknown kind")
        raise DescriptionRefused("a media line is malformed")
    kind, port, profile, formats = match.groups()
    if profile != _PROFILES[kind]:
        raise DescriptionRefused("a media section is not protected by DTLS")
    own, shared = _attributes(lines[1:]), _attributes(session)
    mid = own.get("mid", [""])[0]
    if not _TOKEN.fullmatch(mid):
        raise DescriptionRefused("a mid is missing or malformed")

    def transport(name: str) -> str:
        return (own.get(name) or shared.get(name) or [""])[0]

    is_data = kind == "application"
    if is_data and formats != "webrtc-datachannel":
        raise DescriptionRefused("an application section is not a data channel")
    ssrcs, repairs = _ssrcs(own)
    return Section(
        kind=kind,
        mid=mid,
        formats=formats,
        rejected=port == "0" and "bundle-only" not in own,
        direction=next((name for name in own if name in _DIRECTIONS), "sendrecv"),
        setup=transport("setup"),
        user_fragment=transport("ice-ufrag"),
        password=transport("ice-pwd"),
        fingerprints=_fingerprints(own.get("fingerprint") or shared.get("fingerprint") or []),
        candidates=tuple(own.get("candidate", [])[:_CANDIDATES_READ_MAX]),
        codecs=() if is_data else _codecs(formats, own, codecs_max),
        extensions=_extensions(own),
        ssrcs=ssrcs,
        repairs=repairs,
        layers=_layers(own),
        sctp_port=_number(own.get("sctp-port", ["5000"])[0], _PORT_MAX, "sctp-port") if is_data else 0,
        message_bytes_max=_number(own.get("max-message-size", ["65536"])[0], 1 << 48, "max-message-size"),
    )


def _number(text: str, largest: int, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > largest:  # noqa: PLR2004
        raise DescriptionRefused(f"the {name} attribute is malformed")
    return int(text)


def _fingerprints(values: list[str]) -> tuple[Fingerprint, ...]:
    found = (_FINGERPRINT.fullmatch(value) for value in values[:8])
    return tuple(Fingerprint(match[1].lower(), match[2].upper()) for match in found if match)


def _codecs(formats: str, own: dict[str, list[str]], codecs_max: int) -> tuple[Codec, ...]:
    listed = formats.split()
    if len(listed) > codecs_max:
        raise DescriptionRefused("a media section lists too many payload types")
    maps = {match[1]: match for value in own.get("rtpmap", []) if (match := _RTPMAP.fullmatch(value))}
    parameters: dict[str, str] = {}
    for value in own.get("fmtp", []):
        payload_type, _, text = value.partition(" ")
        if _PARAMETERS.fullmatch(text):
            parameters[payload_type] = text
    found: list[Codec] = []
    for each in listed:
        number = _number(each, _PAYLOAD_TYPE_MAX, "payload type")
        match = maps.get(each)
        if match is not None and number | 0x80 not in RTCP_TYPES:
            found.append(Codec(number, match[2], int(match[3]), int(match[4] or 1), parameters.get(each, "")))
    return tuple(found)


def _extensions(own: dict[str, list[str]]) -> tuple[tuple[int, str], ...]:
    found = (_EXTMAP.fullmatch(value) for value in own.get("extmap", [])[:32])
    return tuple((int(match[1]), match[2]) for match in found if match and 1 <= int(match[1]) <= _EXTENSION_ID_MAX)


def _ssrcs(own: dict[str, list[str]]) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    listed: dict[int, None] = {}
    for value in own.get("ssrc", [])[: 4 * _SSRCS_PER_SECTION_MAX]:
        listed[_number(value.partition(" ")[0], _SSRC_MAX, "ssrc")] = None
    repairs: list[tuple[int, int]] = []
    for value in own.get("ssrc-group", [])[:_SSRCS_PER_SECTION_MAX]:
        parts = value.split()
        if len(parts) == 3 and parts[0] == "FID":  # noqa: PLR2004
            repairs.append((_number(parts[1], _SSRC_MAX, "ssrc"), _number(parts[2], _SSRC_MAX, "ssrc")))
    repairing = {repair for _, repair in repairs}
    return tuple(ssrc for ssrc in listed if ssrc not in repairing)[:_SSRCS_PER_SECTION_MAX], tuple(repairs)


def _layers(own: dict[str, list[str]]) -> tuple[str, ...]:
    if "simulcast" not in own:
        return ()
    rids = [value.split() for value in own.get("rid", [])]
    sent = [parts[0] for parts in rids if len(parts) > 1 and parts[1] == "send" and _TOKEN.fullmatch(parts[0])]
    return tuple(sent[:_LAYERS_MAX])


class LocalTransport(Struct, frozen=True):
    """Our end of a transport, as every section of our descriptions repeats it."""

    user_fragment: str
    password: str
    fingerprint: Fingerprint
    candidates: tuple[str, ...]
    ice_lite: bool = False


class LocalSection(Struct, frozen=True):
    """One section of our description. `formats` is set for a section that we turn down, and nothing else then."""

    kind: str
    mid: str
    direction: str = "inactive"
    formats: str = ""
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[tuple[int, str], ...] = ()
    stream: str = ""  #: id of the MediaStream in a browser
    track: str = ""
    ssrc: int = 0
    repair_ssrc: int = 0
    layers: tuple[str, ...] = ()  #: rids that we receive
    message_bytes_max: int = 0


def render(
    transport: LocalTransport, setup: str, sections: list[LocalSection], *, session_id: int, version: int
) -> str:
    """Write our description. The version goes on counting over the life of a connection (RFC 8866, section 5.2)."""
    lines = ["v=0", f"o=- {session_id} {version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if transport.ice_lite:
        lines.append("a=ice-lite")
    lines.append("a=group:BUNDLE " + " ".join(section.mid for section in sections if not section.formats))
    lines.append("a=msid-semantic:WMS *")
    for section in sections:
        if section.formats:
            profile = _PROFILES[section.kind]
            lines += [f"m={section.kind} 0 {profile} {section.formats}", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}"]
            if section.kind != "application":
                lines.append("a=inactive")
            continue
        lines += _data_lines(section) if section.kind == "application" else _media_lines(section)
        lines += [f"a=ice-ufrag:{transport.user_fragment}", f"a=ice-pwd:{transport.password}", "a=ice-options:trickle"]
        lines += [f"a=fingerprint:{transport.fingerprint.algorithm} {transport.fingerprint.value}", f"a=setup:{setup}"]
        lines += [f"a=candidate:{candidate}" for candidate in transport.candidates]
        lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"


def _data_lines(section: LocalSection) -> list[str]:
    return [
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        "a=sctp-port:5000",
        f"a=max-message-size:{section.message_bytes_max}",
    ]


def _media_lines(section: LocalSection) -> list[str]:
    types = " ".join(str(codec.payload_type) for codec in section.codecs)
    lines = [
        f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {types}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a={section.direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]
    lines += [f"a=extmap:{ident} {uri}" for ident, uri in section.extensions]
    for codec in section.codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}")
        if codec.parameters:
            lines.append(f"a=fmtp:{codec.payload_type} {codec.parameters}")
        lines += [f"a=rtcp-fb:{codec.payload_type} {feedback}" for feedback in codec.feedback]
    if section.ssrc:
        lines.append(f"a=msid:{section.stream} {section.track}")
        if section.repair_ssrc:
            lines.append(f"a=ssrc-group:FID {section.ssrc} {section.repair_ssrc}")
        for ssrc in filter(None, (section.ssrc, section.repair_ssrc)):
            lines += [f"a=ssrc:{ssrc} cname:signalreel", f"a=ssrc:{ssrc} msid:{section.stream} {section.track}"]
    if section.layers:
        lines += [f"a=rid:{rid} recv" for rid in section.layers]
        lines.append("a=simulcast:recv " + ";".join(section.layers))
    return lines
