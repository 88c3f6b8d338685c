"""The gate that asks somebody else: it posts what a command wants to an address of the operator's, and 200 is yes.

Everything else is no: another status, a redirect, silence, an address that cannot be reached. The address is the
operator's configuration and never a client's or a stream's own, because whoever may name an address can make the server
call it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import msgspec
from msgspec import Struct

from signalreel.commands import AnyCommand
from signalreel.registered import Purpose
from signalreel_adapters.access.rights import NoRooms, Rooms, Wish, decide_by, identity_of, room_in
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.http import HttpPost, Unreachable
from signalreel_adapters.ports import SessionInfo, Verdict
from signalreel_adapters.runtime.log import Log

__all__ = ("ACCEPTED", "BODY_BYTES_MAX", "CALLS_MAX", "Post", "WebhookGate")

ACCEPTED: Final = 200
"""The one status that lets a command pass; not even 204 does."""

BODY_BYTES_MAX: Final = 131_072
"""One question. More than a command of the largest size can make of it."""

CALLS_MAX: Final = 64
"""Questions under way at a time; the others wait, for as long as the runtime gives a gate."""

_log: Final = Log("signalreel.access")

Post = Callable[[str, bytes], Awaitable[int]]
"""Posts a JSON body to an address and gives the status. Raises `Unreachable` when there is none."""


class _Question(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is asked, with the fields that real servers send."""

    app_name: str
    name: str
    stream_id: str
    mode: Purpose
    token: str = ""
    subscriber_id: str = ""
    subscriber_code: str = ""
    meta_data: str = ""
    room_id: str = ""
    session_id: str = ""


class WebhookGate:
    """Asks `url`, or `play_url` for playing when it is given. Both a `Gate` and a `Check`; it knows every credential.

    Only public addresses are called unless `allow_private` is set. `post` replaces the way of asking: for tests, for
    signing, for a client library with connections of its own. Where the command names no room, `rooms` says which
    one it leads to, and a yes to a publish is good for the room that was told alone.
    """

    def __init__(
        self,
        url: str,
        *,
        tags: Tags,
        play_url: str = "",
        allow_private: bool = False,
        calls_max: int = CALLS_MAX,
        post: Post | None = None,
        rooms: Rooms | None = None,
    ) -> None:
        self._url = url
        self._play_url = play_url or url
        self._tags = tags
        self._post: Post = post if post is not None else HttpPost(url, self._play_url, allow_private=allow_private)
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._calls = anyio.CapacityLimiter(calls_max)

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by asking."""
        return await decide_by(self, command, session)

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Ask, and take nothing but 200 for a yes."""
        room = wish.room or room_in(wish, session, self._rooms)
        body = msgspec.json.encode(
            _Question(
                session.app,
                wish.stream_name,
                wish.stream_id,
                wish.purpose,
                wish.token,
                wish.subscriber_id,
                wish.subscriber_code,
                wish.meta_data,
                room,
                session.session,
            )
        )
        if len(body) > BODY_BYTES_MAX:
            return Verdict.refuse()
        try:
            async with self._calls:
                status = await self._post(self._play_url if wish.purpose is Purpose.PLAY else self._url, body)
        except Unreachable as error:
            # The client is told what everybody is told whom it may not let in; the operator has to know why.
            _log.warning("access webhook was not reached", app=session.app, purpose=str(wish.purpose), why=error.why)
            return Verdict.refuse()
        if status != ACCEPTED:
            return Verdict.refuse()
        identity = identity_of(self._tags, wish.subscriber_id, session, wish, wish.stream_id)
        return Verdict.allow(identity, rooms=(room,) if wish.places else None)
