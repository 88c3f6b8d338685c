"""Media adapters. Importing this loads the fake one only; the real one is large and imported by its own name."""

from signalreel_adapters.media.fake import FakeMedia

__all__ = ("FakeMedia",)
