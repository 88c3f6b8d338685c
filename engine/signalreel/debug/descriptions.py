"""Descriptions and candidates without what could tell who made them.

What stays is written down here: the kinds of media, payload types, codecs with their parameters, header extensions,
directions, mids, layers, and the roles of a transport. What says which client, which certificate, which address or
which stream of which browser is replaced: equal by equal, and by something of the same shape, so that two descriptions
of one connection are still seen to be that. A line of no kind that is known here is replaced whole: nothing comes
through because nobody thought of it.

RFC 8866 (SDP), RFC 8839 (candidates in SDP), RFC 8829 (JSEP).
"""

import ipaddress
import re
from collections.abc import Callable, Collection
from typing import Final

from signalreel.debug.pseudonyms import Pseudonyms

__all__ = (
    "CANDIDATE_PARTS_MAX",
    "CODECS",
    "DESCRIPTION_LINES_MAX",
    "Rewrite",
    "redacted_candidate",
    "redacted_description",
    "redacted_mid",
)

DESCRIPTION_LINES_MAX: Final = 4_096
"""Lines of a description that are kept; those of the largest conferences have a few hundred."""

CANDIDATE_PARTS_MAX: Final = 64
"""Words of a candidate; real ones have twenty at most."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


CODECS: Final = _listed(
    "vp8 vp9 av1 h264 h265 hevc opus pcmu pcma g722 isac ilbc red ulpfec flexfec flexfec-03 rtx cn "
    "telephone-event multiopus l16"
)
"""The names of codecs, as in an rtpmap and in lower case."""

_MEDIA_KINDS: Final = frozenset({"audio", "video", "application", "text", "message", "image"})
_PROTOCOLS: Final = frozenset(
    {
        *("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF"),
        *("RTP/AVP", "UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"),
    }
)
_FLAGS: Final = _listed(
    "sendrecv sendonly recvonly inactive rtcp-mux rtcp-mux-only rtcp-rsize end-of-candidates ice-lite bundle-only "
    "extmap-allow-mixed ice-mismatch"
)
_EXTENSIONS: Final = frozenset(
    {
        *(f"urn:ietf:params:rtp-hdrext:{name}" for name in ("ssrc-audio-level", "csrc-audio-level", "toffset")),
        *(f"urn:ietf:params:rtp-hdrext:sdes:{name}" for name in ("mid", "rtp-stream-id", "repaired-rtp-stream-id")),
        *("urn:3gpp:video-orientation", "urn:ietf:params:rtp-hdrext:encrypt"),
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        *(
            f"http://www.webrtc.org/experiments/rtp-hdrext/{name}"
            for name in (
                *("abs-send-time", "abs-capture-time", "playout-delay", "video-content-type", "video-timing"),
                *(
                    "color-space",
                    "corruption-detection",
                    "inband-cn",
                    "transport-wide-cc-02",
                    "video-frame-tracking-id",
                ),
                *("video-layers-allocation00", "generic-frame-descriptor-00"),
            )
        ),
    }
)
_PARAMETERS: Final = _listed(
    "minptime maxptime ptime useinbandfec usedtx stereo sprop-stereo cbr maxaveragebitrate maxplaybackrate apt "
    "rtx-time profile-level-id level-asymmetry-allowed packetization-mode profile-id profile level-idx tier "
    "max-fr max-fs max-br max-mbps max-dpb x-google-min-bitrate x-google-max-bitrate x-google-start-bitrate "
    "level-id tier-flag tx-mode repair-window num_streams coupled_streams channel_mapping"
)
_FEEDBACK: Final = _listed("nack pli ccm fir goog-remb transport-cc rpsi sli app lntf rrtr tmmbr goog-lntf ack")
_RIDS: Final = _listed("h m l q f hi mid lo high low medium r0 r1 r2 0 1 2 3 hd sd ld")
_ROLES: Final = frozenset({"actpass", "active", "passive", "holdconn"})
_ICE_OPTIONS: Final = frozenset({"trickle", "ice2", "renomination", "google-ice"})
_HASHES: Final = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
_CANDIDATE_TYPES: Final = frozenset({"host", "srflx", "prflx", "relay"})
_TCP_TYPES: Final = frozenset({"active", "passive", "so"})

_SMALL: Final = "[0-9]{1,3}"
_MID: Final = re.compile(r"[0-9]{1,3}|audio[0-9]?|video[0-9]?|data|application")
_MEDIA: Final = re.compile(rf"([a-z]+) ([0-9]{{1,5}}) ([A-Z/]+) (webrtc-datachannel|{_SMALL}(?: {_SMALL})*) ?")
_BANDWIDTH: Final = re.compile(r"(?:AS|TIAS|CT|RR|RS):[0-9]{1,10}")
_RTPMAP: Final = re.compile(rf"({_SMALL}) ([!-.0-~]{{1,64}})(/[0-9]{{1,6}}(?:/[0-9])?)")
_OF_TYPE: Final = re.compile(rf"(\*|{_SMALL}) (.*)")
_RANGES: Final = re.compile(rf"{_SMALL}(?:[-/,]{_SMALL})*")
_VALUE: Final = re.compile(r"[0-9A-Fa-f]{1,8}")
_EXTMAP: Final = re.compile(r"([0-9]{1,5}(?:/(?:sendrecv|sendonly|recvonly|inactive))?) ([!-~]+)")
_SSRC: Final = re.compile(r"([0-9]{1,10}) ([a-z]+)(?::(.*))?")
_SSRC_GROUP: Final = re.compile(r"(FID|SIM|FEC|FEC-FR)((?: [0-9]{1,10})+) ?")
_RID: Final = re.compile(r"([!-~]{1,64}) (send|recv)(?: .*)?")
_SIMULCAST: Final = re.compile(r"(send|recv) ([!-~]+)(?: (send|recv) ([!-~]+))?")
_NUMBER: Final = re.compile(r"[0-9]{1,10}")

_SSRC_BELOW: Final = 1 << 32
_PORT_BELOW: Final = 1 << 16
_PORT_LOWEST: Final = 1_024
_PORTS_THAT_SAY_SOMETHING: Final = frozenset({"0", "9"})
_VERSION_LENGTH_MAX: Final = 6


def redacted_description(text: str, pseudonyms: Pseudonyms) -> str:
    """Give a description as it may be shared; what is no description is replaced whole."""
    if not text:
        return ""
    lines = text.split("\n")
    if lines[0].rstrip("\r") != "v=0":
        return f"no description {pseudonyms.token('description', text, 16)}"
    ending = "\r\n" if lines[0].endswith("\r") else "\n"
    return ending.join(_line(line.rstrip("\r"), pseudonyms) for line in lines[:DESCRIPTION_LINES_MAX])


def _line(line: str, pseudonyms: Pseudonyms) -> str:
    kind, value = line[:2], line[2:]
    match kind:
        case "":
            return ""
        case "v=":
            return "v=0"
        case "s=":
            return "s=-"
        case "t=":
            return "t=0 0"
        case "c=":
            return "c=IN IP4 0.0.0.0"
        case "o=":
            return _origin(value, pseudonyms)
        case "b=" if _BANDWIDTH.fullmatch(value):
            return line
        case "m=":
            replaced = _media(value)
        case "a=":
            replaced = _attribute(value, pseudonyms)
        case _:
            replaced = None
    return replaced if replaced is not None else f"a=x-redacted:{pseudonyms.token('line', line, 16)}"


def _origin(value: str, pseudonyms: Pseudonyms) -> str:
    """Keep the version, which says how often the connection was negotiated, and that the session is the same."""
    parts = value.split(" ")
    version = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - user, session, version
    if not (version.isascii() and version.isdigit() and len(version) <= _VERSION_LENGTH_MAX):
        version = str(pseudonyms.number("version", version, 10**_VERSION_LENGTH_MAX))
    return f"o=- {pseudonyms.number('session', ' '.join(parts[:2]), 1 << 62)} {version} IN IP4 0.0.0.0"


def _media(value: str) -> str | None:
    found = _MEDIA.fullmatch(value)
    if found is None or found[1] not in _MEDIA_KINDS or found[3] not in _PROTOCOLS:
        return None
    return f"m={found[1]} {'0' if found[2] == '0' else '9'} {found[3]} {found[4]}"


def _attribute(text: str, pseudonyms: Pseudonyms) -> str | None:
    if text in _FLAGS:
        return f"a={text}"
    name, _, value = text.partition(":")
    if name == "rtcp":
        return "a=rtcp:9 IN IP4 0.0.0.0"
    if name in _KEPT:
        replaced = _KEPT[name](value)
    else:
        rewrite = _REWRITTEN.get(name)
        replaced = rewrite(value, pseudonyms) if rewrite is not None else None
    return f"a={name}:{replaced}" if replaced is not None else None


# ---------------------------------------------------------------- attributes: what stands in their place, or nothing


def redacted_mid(mid: str, pseudonyms: Pseudonyms) -> str:
    """Give a mid: a small number or the name of a kind stays, anything else is replaced."""
    return mid if not mid or _MID.fullmatch(mid) else f"mid-{pseudonyms.token('mid', mid, 8)}"


def _group(value: str, pseudonyms: Pseudonyms) -> str | None:
    kind, _, mids = value.partition(" ")
    if kind not in {"BUNDLE", "LS", "FID"}:
        return None
    return " ".join([kind, *(redacted_mid(mid, pseudonyms) for mid in mids.split())])


def _rtpmap(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _RTPMAP.fullmatch(value)
    if found is None:
        return None
    name = found[2] if found[2].lower() in CODECS else f"x-{pseudonyms.token('codec', found[2], 8)}"
    return f"{found[1]} {name}{found[3]}"


def _fmtp(value: str) -> str | None:
    """Keep parameters of codecs that are known and short; a sprop tells which camera or encoder made it."""
    found = _OF_TYPE.fullmatch(value)
    if found is None:
        return None
    parameters = [part.strip() for part in found[2].split(";")]
    return f"{found[1]} {';'.join(part for part in parameters if _is_known_parameter(part))}"


def _is_known_parameter(text: str) -> bool:
    name, equals, value = text.partition("=")
    if not equals:
        return _RANGES.fullmatch(text) is not None
    return name in _PARAMETERS and _VALUE.fullmatch(value) is not None


def _feedback(value: str) -> str | None:
    found = _OF_TYPE.fullmatch(value)
    return value if found is not None and set(found[2].split(" ")) <= _FEEDBACK else None


def _extmap(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _EXTMAP.fullmatch(value)
    if found is None:
        return None
    return f"{found[1]} {found[2] if found[2] in _EXTENSIONS else f'urn:x:{_token(found[2], pseudonyms)}'}"


def _ssrc_number(text: str, pseudonyms: Pseudonyms) -> str:
    return str(pseudonyms.number("ssrc", text, _SSRC_BELOW))


def _ssrc(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _SSRC.fullmatch(value)
    if found is None or found[2] not in {"cname", "msid", "mslabel", "label"}:
        return None
    return f"{_ssrc_number(found[1], pseudonyms)} {found[2]}:{_tokens(found[3] or '', pseudonyms)}"


def _ssrc_group(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _SSRC_GROUP.fullmatch(value)
    if found is None:
        return None
    return " ".join([found[1], *(_ssrc_number(number, pseudonyms) for number in found[2].split())])


def _token(text: str, pseudonyms: Pseudonyms) -> str:
    return pseudonyms.token("sdp", text, 12)


def _tokens(value: str, pseudonyms: Pseudonyms) -> str:
    return " ".join(part if part in {"-", "*"} else _token(part, pseudonyms) for part in value.split())


def _semantic(value: str, pseudonyms: Pseudonyms) -> str | None:
    name, _, streams = value.strip().partition(" ")
    return f"WMS {_tokens(streams, pseudonyms)}".rstrip() if name == "WMS" else None


def _rid_name(text: str, pseudonyms: Pseudonyms) -> str:
    bare = text.removeprefix("~")
    mark = text[: len(text) - len(bare)]
    return mark + (bare if bare in _RIDS else f"r-{pseudonyms.token('rid', bare, 8)}")


def _rid(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _RID.fullmatch(value)
    return f"{_rid_name(found[1], pseudonyms)} {found[2]}" if found is not None else None


def _simulcast(value: str, pseudonyms: Pseudonyms) -> str | None:
    found = _SIMULCAST.fullmatch(value)
    if found is None:
        return None
    layers = [re.sub("[^;,]+", lambda rid: _rid_name(rid[0], pseudonyms), part) for part in found.groups("")[1::2]]
    return " ".join(filter(None, (found[1], layers[0], found[3], layers[1])))


def _fingerprint(value: str, pseudonyms: Pseudonyms) -> str | None:
    algorithm, _, digest = value.partition(" ")
    size = _HASHES.get(algorithm.lower())
    if size is None:
        return None
    return f"{algorithm.lower()} {pseudonyms.digest('fingerprint', digest.upper(), size).hex(':').upper()}"


def _number(value: str) -> str | None:
    return value if _NUMBER.fullmatch(value) else None


def _one_of(words: Collection[str]) -> Callable[[str], str | None]:
    return lambda value: value if value and set(value.split(" ")) <= set(words) else None


def _token_of(length: int) -> "Rewrite":
    return lambda value, pseudonyms: pseudonyms.token("ice", value, length)


Rewrite = Callable[[str, Pseudonyms], str | None]
"""Gives what stands in the place of an attribute's value; None when the value is of no shape that is known."""

_KEPT: Final[dict[str, Callable[[str], str | None]]] = {
    "fmtp": _fmtp,
    "rtcp-fb": _feedback,
    "setup": _one_of(_ROLES),
    "ice-options": _one_of(_ICE_OPTIONS),
    "sctp-port": _number,
    "max-message-size": _number,
    "ptime": _number,
    "maxptime": _number,
    "framerate": _number,
    "x-google-flag": _one_of(("conference",)),
}
"""The attributes of which nothing is replaced: what is known of the value stays."""


# ---------------------------------------------------------------- candidates


def redacted_candidate(text: str, pseudonyms: Pseudonyms) -> str:
    """Give a candidate as it may be shared; what is no candidate is replaced whole. The empty one ends them."""
    if not text:
        return ""
    prefix = next((prefix for prefix in ("a=candidate:", "candidate:") if text.startswith(prefix)), "")
    replaced = _candidate(text[len(prefix) :], pseudonyms)
    return prefix + (replaced if replaced is not None else f"none {pseudonyms.token('candidate', text, 16)}")


def _candidate(text: str, pseudonyms: Pseudonyms) -> str | None:
    parts = text.split()
    if not 8 <= len(parts) <= CANDIDATE_PARTS_MAX or parts[6] != "typ" or parts[7] not in _CANDIDATE_TYPES:  # noqa: PLR2004
        return None
    foundation, component, transport, priority, address, port = parts[:6]
    if component not in {"1", "2"} or transport.lower() not in {"udp", "tcp", "ssltcp", "tls"}:
        return None
    if not (_NUMBER.fullmatch(priority) and _NUMBER.fullmatch(port)):
        return None
    said = [
        str(pseudonyms.number("foundation", foundation, _SSRC_BELOW)),
        *(component, transport, priority),
        *(_address(address, pseudonyms), _port(port, pseudonyms), "typ", parts[7]),
    ]
    for name, value in zip(parts[8::2], parts[9::2], strict=False):
        said += _extension(name, value, pseudonyms)
    return " ".join(said)


def _extension(name: str, value: str, pseudonyms: Pseudonyms) -> list[str]:
    """Give one of the pairs after a candidate's type; one that is not known is left out."""
    match name:
        case "raddr":
            return [name, _address(value, pseudonyms)]
        case "rport" if _NUMBER.fullmatch(value):
            return [name, _port(value, pseudonyms)]
        case "tcptype" if value in _TCP_TYPES:
            return [name, value]
        case "generation" | "network-id" | "network-cost" if re.fullmatch(_SMALL, value):
            return [name, value]
        case "ufrag":
            return [name, pseudonyms.token("ice", value, 8)]
        case _:
            return []


def _port(port: str, pseudonyms: Pseudonyms) -> str:
    if port in _PORTS_THAT_SAY_SOMETHING:
        return port
    return str(_PORT_LOWEST + pseudonyms.number("port", port, _PORT_BELOW - _PORT_LOWEST))


def _address(text: str, pseudonyms: Pseudonyms) -> str:
    """Give an address of the same family and reach (private, of this host or link), or a name of the same sort."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        ending = "local" if text.lower().endswith(".local") else "invalid"
        return f"{pseudonyms.token('host', text, 16)}.{ending}"
    drawn = pseudonyms.number("address", text, 1 << 64)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        return f"::ffff:{_address(str(mapped), pseudonyms)}"
    if address.is_unspecified:
        return str(address)
    for network, pseudonym in _REACHES:
        if network.version == address.version and address in network:
            return str(pseudonym[drawn % pseudonym.num_addresses])
    raise AssertionError("every address is in one of the networks")


_REACHES: Final = tuple(
    (ipaddress.ip_network(network), ipaddress.ip_network(pseudonym))
    for network, pseudonym in (
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("172.16.0.0/12", "10.0.0.0/8"),
        ("192.168.0.0/16", "10.0.0.0/8"),
        ("169.254.0.0/16", "169.254.0.0/16"),
        ("0.0.0.0/0", "198.18.0.0/15"),  # kept for measurements (RFC 2544): nobody has an address in it
        ("::1/128", "::1/128"),
        ("fe80::/10", "fe80::/64"),
        ("fc00::/7", "fd00::/64"),
        ("::/0", "2001:db8::/64"),  # kept for documents (RFC 3849)
    )
)
"""Networks by how far they reach, the narrowest first, and where what stands for an address of each is drawn from."""


_REWRITTEN: Final[dict[str, Rewrite]] = {
    "mid": redacted_mid,
    "group": _group,
    "rtpmap": _rtpmap,
    "extmap": _extmap,
    "ssrc": _ssrc,
    "ssrc-group": _ssrc_group,
    "msid": _tokens,
    "msid-semantic": _semantic,
    "rid": _rid,
    "simulcast": _simulcast,
    "ice-ufrag": _token_of(8),
    "ice-pwd": _token_of(24),
    "fingerprint": _fingerprint,
    "candidate": _candidate,
}
"""The attributes of which something is replaced, each with what its value becomes. Any other is replaced whole."""
