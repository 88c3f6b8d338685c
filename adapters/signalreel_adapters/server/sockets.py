"""uvicorn's WebSocket protocol, with one thing added: a connection that we are done with goes away.

When the application has returned, uvicorn closes the connection once its buffer is written. A client that does not read
never lets that happen, so a client ended because it is too slow would keep its socket and its buffer for as long as it
likes. Here it is cut off after a while.
"""

import asyncio
from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ("LINGER_S", "WebSocketProtocol")

LINGER_S: Final = 2.0
"""Seconds for what is still in the buffer, and for the client's own close frame, once the application has returned."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection that does not outlive its application by long."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut the connection off if it has not ended in a while."""
        super().on_task_complete(task)
        self.loop.call_later(LINGER_S, self.transport.abort)

    async def send(self, message: ASGISendEvent) -> None:
        """Send as always; a refusal in full is a handshake in full, and nothing to complain about in the log."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
