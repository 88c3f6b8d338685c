"""What the tests of the gates share: keys, sessions, tokens made by hand, and a call through a whole runtime."""

import base64
import hashlib
import hmac
import json
from typing import Final

from signalreel.commands import AnyCommand
from signalreel.identifiers import App, SessionId
from signalreel_adapters import MemoryClient, Peer, SessionInfo, Verdict
from signalreel_adapters.access.rights import Wish
from signalreel_adapters.access.tags import Tags

__all__ = (
    "JWT_KEY",
    "TAGS",
    "FixedRooms",
    "Says",
    "answer_to",
    "is_allowed",
    "session_of",
    "sha256",
    "signed",
    "unsigned_part",
)

TAGS: Final = Tags("the key of the tests' tags")
JWT_KEY: Final = "a secret of at least thirty-two octets"


def session_of(app: str = "live", *, id: str = "s", identity: str = "", address: str = "") -> SessionInfo:
    """A session as a gate sees it."""
    return SessionInfo(SessionId(id), App(app), identity, Peer("memory", address))


def is_allowed(verdict: Verdict | None) -> bool:
    """Whether the verdict lets the command pass."""
    return verdict is not None and verdict.grant.allowed


def unsigned_part(part: object) -> str:
    """One part of a web token."""
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def signed(claims: object, *, key: str = JWT_KEY, header: object = None, digest: str = "sha256") -> str:
    """A web token made by hand, so that the library is not its own judge."""
    head = unsigned_part({"alg": "HS256", "typ": "JWT"} if header is None else header)
    text = f"{head}.{unsigned_part(claims)}"
    signature = hmac.new(key.encode(), text.encode(), digest).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def answer_to(client: MemoryClient, command: AnyCommand) -> str:
    """Send a command and give the first thing that the server says to it."""
    await client.send(command)
    said = await client.receive()
    return str(said.get("definition", said["command"]))


class FixedRooms:
    """Rooms as the test says they are: stream ids by room; everything else is a stream."""

    def __init__(self, rooms: dict[str, tuple[str, ...]]) -> None:
        self._rooms = rooms

    def room_of(self, session: SessionInfo, stream_id: str) -> str:
        """The room the stream is in."""
        return next((room for room, streams in self._rooms.items() if stream_id in streams), "")

    def is_stream(self, session: SessionInfo, id: str) -> bool:
        """Whether it is none of the rooms."""
        return id not in self._rooms


class Says:
    """A gate and a check that always says the same, and keeps what it was asked."""

    def __init__(self, verdict: Verdict | None) -> None:
        self.asked: list[AnyCommand | Wish] = []
        self._verdict = verdict

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Say it; as a gate, nothing to say is a refusal."""
        self.asked.append(command)
        return Verdict.refuse() if self._verdict is None else self._verdict

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Say it."""
        self.asked.append(wish)
        return self._verdict


def sha256(text: str) -> str:
    """The hash of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
