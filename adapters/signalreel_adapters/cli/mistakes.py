"""What a user can mend, told without a traceback."""

from signalreel.errors import SignalreelError

__all__ = ("MissingExtra", "Mistake")


class Mistake(SignalreelError):
    """Something in the call or around it is not as it must be. The message says what to do."""


class MissingExtra(Mistake):
    """A part that is not installed was asked for."""

    def __init__(self, wish: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{wish} needs a part that is not installed: pip install 'signalreel[{extra}]'")
