"""Media over aiortc: real ICE, DTLS and SRTP, forwarded without transcoding."""

from signalreel_adapters.media.aiortc.adapter import AiortcMedia
from signalreel_adapters.media.aiortc.settings import AiortcSettings, TurnServer

__all__ = ("AiortcMedia", "AiortcSettings", "TurnServer")
