"""Small calls, spelled once: a client in memory publishes, and another one plays."""

from typing import Final

from signalreel.commands import Play, Publish, TakeConfiguration
from signalreel_adapters.transports.memory import MemoryClient

__all__ = ("ANSWER", "OFFER", "play", "publish")

OFFER: Final = "v=0\r\na=the offer of a test\r\n"
"""What a publisher offers to media that reads no descriptions."""

ANSWER: Final = "v=0\r\na=the answer of a test\r\n"
"""What a player answers."""


async def publish(client: MemoryClient, stream_id: str, *, room: str = "") -> None:
    """Publish until it is live, in a room or in none. Raises `UnexpectedMessage` when it does not come to that."""
    await client.send(Publish(stream_id=stream_id, main_track=room))
    await client.expect("start")
    await client.send(TakeConfiguration(stream_id=stream_id, type="offer", sdp=OFFER))
    await client.expect("takeConfiguration")
    await client.expect("publish_started")


async def play(client: MemoryClient, stream_id: str) -> None:
    """Play until it plays. Raises `UnexpectedMessage` when it does not come to that."""
    await client.send(Play(stream_id=stream_id))
    await client.expect("takeConfiguration")
    await client.send(TakeConfiguration(stream_id=stream_id, type="answer", sdp=ANSWER))
    await client.expect("play_started")
