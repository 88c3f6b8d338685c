"""uvicorn's WebSocket protocol, with what it lets through bounded.

A message has a size limit, and what the runtime holds of a session has one; frames are below both. So here:

- What was read at once is taken in pieces, one a turn of the event loop, and nothing more is read before it is taken:
  the smallest frame has six bytes, and tens of thousands of them would otherwise be one turn.
- A message has a limit of frames, and a connection one of pings and pongs in a second. Beyond either it is failed.
- A client that pings and does not read is not read either, until it has: pongs are in nobody's outbox.
- A connection that we are done with goes away. uvicorn closes it once its buffer is written, and a client that does not
  read never lets that happen; here it is cut off after a while.
- A handshake comes to an end. What HTTP let through and the WebSocket's own parser does not (a longer header line, more
  of them, a body) is answered 400, and what is not complete after a while is cut off.
"""

import asyncio
from typing import Final

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from signalreel.messages import POLICY_VIOLATION

__all__ = (
    "CONTROLS_PER_S_MAX",
    "HANDSHAKE_S_MAX",
    "LINGER_S",
    "MESSAGE_FRAMES_MAX",
    "TURN_BYTES_MAX",
    "WebSocketProtocol",
)

TURN_BYTES_MAX: Final = 4_096
"""Bytes of one connection that are parsed in one turn of the event loop: 682 frames at most, a few milliseconds."""

MESSAGE_FRAMES_MAX: Final = 1_024
"""Frames of one message. Clients send one; a proxy may split what is larger than its buffer of a few kilobytes."""

CONTROLS_PER_S_MAX: Final = 100
"""Pings and pongs of one connection in one second. Clients send one in many seconds, and pong what we ping."""

HANDSHAKE_S_MAX: Final = 10.0
"""Seconds from a whole request head until the handshake is complete. It takes a few turns of the event loop."""

LINGER_S: Final = 2.0
"""Seconds for what is still in the buffer, and for the client's own close frame, once the application has returned."""

_CONTROLS_WINDOW_S: Final = 1.0
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_INVALID_DATA: Final = 1007
"""Close code for text that is no UTF-8 (RFC 6455, sections 7.4.1 and 8.1)."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection that takes its turn, keeps to its limits, and does not outlive its application by long."""

    handshake_s_max = HANDSHAKE_S_MAX

    _deadline: asyncio.TimerHandle | None = None
    _unparsed = b""
    """What was read and not parsed yet. While there is any, the transport is not read."""
    _turn: asyncio.Handle | None = None
    _owes_pongs = False
    """Whether a pong waits for a client that does not read."""
    _message_frames = 0
    _controls = 0
    _controls_since = 0.0

    # ---- the handshake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, and its time."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.handshake_s_max, self._end_handshake)

    def _end_handshake(self) -> None:
        """Cut off who is still not answered: there is no session yet whose rules could end it."""
        if not self.handshake_complete:
            self.transport.abort()

    def _refuse_unreadable(self) -> None:
        """Answer a request that the parser gave up; the parser itself only wants the connection to end."""
        if self.conn.handshake_exc is not None and not self.handshake_initiated and not self.transport.is_closing():
            self.handshake_complete = self.close_sent = True
            self.transport.write(_BAD_REQUEST)
            self.transport.close()
            self.loop.call_later(LINGER_S, self.transport.abort)

    # ---- reading in turns

    def data_received(self, data: bytes) -> None:
        """Parse what is short at once, and of all else the first piece."""
        self._unparsed += data
        if self._turn is None:
            self._take_turn()

    def _take_turn(self) -> None:
        """Parse one piece, unless it has to wait; let the others have theirs before the next."""
        self._turn = None
        if self.transport.is_closing():
            self._unparsed = b""
            return
        if self._unparsed and not self._must_wait():
            piece, self._unparsed = self._unparsed[:TURN_BYTES_MAX], self._unparsed[TURN_BYTES_MAX:]
            super().data_received(piece)
            self._refuse_unreadable()
        self._go_on()

    def _must_wait(self) -> bool:
        """Whether the application has not taken the last message, or the client its pongs."""
        return self.read_paused or self._owes_pongs

    def _go_on(self) -> None:
        """Read further, or take another turn, or do neither; call it whenever what that depends on has changed."""
        if self.transport.is_closing():
            return
        if self._unparsed or self._owes_pongs:
            self.transport.pause_reading()
        elif not self.read_paused:
            self.transport.resume_reading()
        if self._unparsed and self._turn is None and not self._must_wait():
            self._turn = self.loop.call_soon(self._take_turn)

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        super().resume_writing()
        self._owes_pongs = False
        self._go_on()

    async def receive(self) -> ASGIReceiveEvent:
        """Give the application a message, and take the next from the client."""
        message = await super().receive()
        self._go_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Send as always; a refusal in full is a handshake in full, and nothing to complain about in the log."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
        if self.close_sent:
            self._go_on()

    # ---- limits of frames

    def handle_text(self, event: Frame) -> None:
        """Begin a message."""
        self._message_frames = 1
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Begin a message."""
        self._message_frames = 1
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Go on with a message, unless it has too many frames; their bytes are counted elsewhere, and may be none."""
        self._message_frames += 1
        if self._message_frames > MESSAGE_FRAMES_MAX:
            self._fail(POLICY_VIOLATION, "too many frames in one message")
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless there are too many; take no other before the client reads."""
        if self._allows_control():
            super().handle_ping()
            self._owes_pongs = not self.writable.is_set()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong, unless there are too many."""
        if self._allows_control():
            super().handle_pong(event)

    def _allows_control(self) -> bool:
        now = self.loop.time()
        if now - self._controls_since >= _CONTROLS_WINDOW_S:
            self._controls_since, self._controls = now, 0
        self._controls += 1
        if self._controls > CONTROLS_PER_S_MAX:
            self._fail(POLICY_VIOLATION, "too many pings")
        return self._controls <= CONTROLS_PER_S_MAX

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message over; text that is none ends the connection, and is no error of ours to log."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(_INVALID_DATA, "text that is not UTF-8")
                return
        super().send_receive_event_to_app()

    def _fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455, section 7.1.7): a close frame, and nothing of it is read any more."""
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    # ---- the end

    def keepalive_timeout(self) -> None:
        """End a client that has not answered; one that does not even read is cut off."""
        super().keepalive_timeout()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut the connection off if it has not ended in a while."""
        super().on_task_complete(task)
        self.loop.call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what can no longer be answered."""
        self._unparsed = b""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        super().connection_lost(exc)
