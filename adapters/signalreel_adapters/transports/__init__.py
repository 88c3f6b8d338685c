"""Transports: ways for a client to reach the runtime. Each is usable alone; none is imported by the runtime."""

from signalreel_adapters.transports.memory import MemoryClient, MemoryTransport

__all__ = ("MemoryClient", "MemoryTransport")
