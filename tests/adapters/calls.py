"""What many tests of the shell say and expect: small calls, spelled once."""

from typing import Any, Final

from signalreel.commands import Play, Publish, TakeConfiguration
from signalreel_adapters import MemoryClient

__all__ = ("ANSWER", "OFFER", "names", "play", "publish")

OFFER: Final = "v=0\r\na=the offer of a test\r\n"
ANSWER: Final = "v=0\r\na=the answer of a test\r\n"


async def publish(client: MemoryClient, stream_id: str) -> None:
    """Publish until it is live."""
    await client.send(Publish(stream_id=stream_id))
    await client.expect("start")
    await client.send(TakeConfiguration(stream_id=stream_id, type="offer", sdp=OFFER))
    await client.expect("takeConfiguration")
    await client.expect("publish_started")


async def play(client: MemoryClient, stream_id: str) -> None:
    """Play until it plays."""
    await client.send(Play(stream_id=stream_id))
    await client.expect("takeConfiguration")
    await client.send(TakeConfiguration(stream_id=stream_id, type="answer", sdp=ANSWER))
    await client.expect("play_started")


def names(messages: list[dict[str, Any]]) -> list[str]:
    """What messages say, by definition where there is one, else by command."""
    return [str(message.get("definition", message["command"])) for message in messages]
