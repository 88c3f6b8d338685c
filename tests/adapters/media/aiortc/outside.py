"""A call in a process of its own, of which every address that something is sent to is noted.

Prints the hosts, and the names that were looked up, as JSON.
"""

import asyncio
import json
import sys

from signalreel_adapters.media.aiortc import AiortcSettings
from tests.adapters.media.aiortc.peers import Call, PlayingPeer, PublishingPeer, closing, eventually

__all__ = ("call",)

_SENDING = {"socket.sendto", "socket.sendmsg", "socket.connect"}
_NAMING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


async def call(transport: str) -> None:
    """Publish and play with the settings that nobody changed."""
    settings = AiortcSettings(transport="one-port" if transport == "one-port" else "port-each")
    source, player = PublishingPeer(settings=AiortcSettings()), PlayingPeer(settings=AiortcSettings())
    async with Call(settings) as opened, closing(source, player):
        opened.open("a", "b")
        await opened.publish("a", "s1", source)
        opened.candidate("a", "s1", "candidate:1 1 udp 1 8e1f3f0a-1c1d-4c3e-9d39-0d3b1f0c0a77.local 50000 typ host")
        opened.play("b", "s1", player)
        await eventually(lambda: player.offer and len(player.arrived("video")) > 20, "pictures arrive")


def _main() -> None:
    sent, named = set[str](), set[str]()

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event in _SENDING and isinstance(arguments[1], tuple):
            sent.add(str(arguments[1][0]))
        elif event in _NAMING:
            named.add(str(arguments[0]))

    sys.addaudithook(note)
    asyncio.run(call(sys.argv[1]))
    sys.stdout.write(json.dumps({"sent": sorted(sent), "named": sorted(named)}))


if __name__ == "__main__":
    _main()
