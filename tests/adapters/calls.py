"""What many tests of the shell say and expect: the small calls that users get, and how to read what was said."""

from typing import Any

from signalreel_adapters.testing.calls import ANSWER, OFFER, play, publish

__all__ = ("ANSWER", "OFFER", "names", "play", "publish")


def names(messages: list[dict[str, Any]]) -> list[str]:
    """What messages say, by definition where there is one, else by command."""
    return [str(message.get("definition", message["command"])) for message in messages]
