"""What every flow may say without having heard it: a description each way and a candidate, as a browser writes them.

They connect to nothing: their address is one for documentation (RFC 5737), and nobody holds the key of the certificate
that they name. But they are whole, so a server with real media answers the offer as it answers that of a browser.
"""

from typing import Final

__all__ = ("GIVEN",)

_TRANSPORT: Final = (
    "c=IN IP4 0.0.0.0\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:flow\r\n"
    "a=ice-pwd:nobodyholdsthispassword0\r\n"
    "a=ice-options:trickle\r\n"
    f"a=fingerprint:sha-256 {':'.join(['5A'] * 32)}\r\n"
    "a=setup:{setup}\r\n"
    "a=mid:{mid}\r\n"
    "a={direction}\r\n"
    "a=rtcp-mux\r\n"
)
_HEAD: Final = (
    "v=0\r\no=- 4611731400430051336 {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE 0 1\r\na=msid-semantic: WMS flow\r\n"
)
_AUDIO: Final = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "{transport}"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
)
_VIDEO: Final = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
    "{transport}"
    "a=rtcp-rsize\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtcp-fb:96 nack\r\n"
    "a=rtcp-fb:96 nack pli\r\n"
    "a=rtpmap:97 H264/90000\r\n"
    "a=rtcp-fb:97 nack\r\n"
    "a=rtcp-fb:97 nack pli\r\n"
    "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
)
_SOURCE: Final = "a=msid:flow {name}\r\na=ssrc:{ssrc} cname:flow\r\n"


def _description(version: int, setup: str, *, sends: bool) -> str:
    direction = "sendonly" if sends else "recvonly"
    text = _HEAD.format(version=version)
    for mid, (media, name) in enumerate(((_AUDIO, "audio"), (_VIDEO, "video"))):
        text += media.format(transport=_TRANSPORT.format(setup=setup, mid=mid, direction=direction))
        text += _SOURCE.format(name=name, ssrc=1001 + mid) if sends else ""
    return text


GIVEN: Final[dict[str, str]] = {
    "offer": _description(1, "actpass", sends=True),
    "answer": _description(2, "active", sends=False),
    "candidate": "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag flow network-id 1",
}
"""The names, with what they stand for."""
