"""Media in processes beside the engine's, and what carries a stream from one of them to another."""

from signalreel_adapters.media.workers.media import WorkersMedia, default_count

__all__ = ("WorkersMedia", "default_count")
