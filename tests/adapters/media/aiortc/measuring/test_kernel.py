"""The kernel drops media, counts it, and lets the rest through."""

import socket

from signalreel_adapters.media.aiortc.measuring.kernel import arrived, drop_media


def test_media_is_dropped_and_counted() -> None:
    """RTP goes, with a marker and without; STUN, DTLS and RTCP come."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        drop_media(receiver)
        port = receiver.getsockname()[1]
        before = arrived([port])[port]
        kept = [b"\x00\x01stun", b"\x16\xfedtls", b"\x80\xc8rtcp", b"\x81\xcertcp"]
        for data in [b"\x80\x60media", *kept, b"\x80\xe0media", b"\x90\x6fmedia"]:
            sender.sendto(data, ("127.0.0.1", port))

        assert [receiver.recv(100) for _ in kept] == kept
        assert arrived([port])[port] - before == 3
