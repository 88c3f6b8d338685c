"""Signalreel: an event-sourced state-machine engine for WebRTC signaling."""

__all__ = ()
