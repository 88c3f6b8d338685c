"""What is wrong with a configuration."""

from signalreel.errors import SignalreelError

__all__ = ("Misconfigured",)


class Misconfigured(SignalreelError):
    """The configuration cannot be followed; its text says where and what to write instead. It quotes no secret."""
