"""What a page's WebSockets carry, seen from outside the page: every message whole, and in its order.

An SDK hands over what it thinks a page needs. Evidence of the protocol is what the server really sent.
"""

import json
import time
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, cast

from playwright.sync_api import Page, WebSocket

__all__ = ("Frame", "Message", "Wire", "name_of")

Message = dict[str, Any]

HEARD_SECONDS_MAX: Final = 20.0
ASK_MILLISECONDS: Final = 50


def name_of(message: Message) -> str:
    """What a message is called: a notification and an error by what they tell."""
    named = message["command"] in {"notification", "error"}
    return cast(str, message["definition"] if named else message["command"])


class Frame(NamedTuple):
    """One frame, as a network panel keeps it."""

    time: float  #: seconds since 1970
    type: Literal["send", "receive"]
    data: str


class Wire:
    """The messages of a page, over all the WebSockets that it has opened one after the other."""

    def __init__(self, page: Page) -> None:
        self.said: list[Message] = []
        self.heard: list[Message] = []
        self.noise: list[str] = []
        self.connections = 0
        self.frames: list[Frame] = []
        self._page = page
        page.on("websocket", self._opened)

    def last_said(self, command: str) -> Message:
        """The last message of this kind that the page sent."""
        return next(message for message in reversed(self.said) if message["command"] == command)

    def count_heard(self, name: str) -> int:
        """How many messages of this name the server has sent."""
        return sum(name_of(message) == name for message in self.heard)

    def until_heard(self, name: str, **fields: object) -> Message:
        """Wait until the server has sent a message of this name with these fields, and give the last such one."""
        self.until(
            lambda: self._find(name, fields) is not None,
            lambda: f"no {name} {fields}; heard {[*map(name_of, self.heard)]}",
        )
        return cast(Message, self._find(name, fields))

    def until(self, seen: Callable[[], bool], otherwise: Callable[[], str]) -> None:
        """Wait until something is so, or fail and say what is so instead."""
        deadline = time.monotonic() + HEARD_SECONDS_MAX
        while not seen():
            assert time.monotonic() < deadline, otherwise()
            self._page.wait_for_timeout(ASK_MILLISECONDS)

    def _find(self, name: str, fields: Message) -> Message | None:
        found = (one for one in reversed(self.heard) if name_of(one) == name and fields.items() <= one.items())
        return next(found, None)

    def _opened(self, socket: WebSocket) -> None:
        self.connections += 1
        socket.on("framesent", lambda text: self._keep("send", self.said, text))
        socket.on("framereceived", lambda text: self._keep("receive", self.heard, text))

    def _keep(self, kind: Literal["send", "receive"], messages: list[Message], data: str | bytes) -> None:
        """Keep a frame and the message that it holds; what is none is kept apart."""
        text = data if isinstance(data, str) else data.decode()
        self.frames.append(Frame(time.time(), kind, text))
        try:
            messages.append(json.loads(text))
        except ValueError:
            self.noise.append(text)
