"""Clients that come and go, over both transports, one way or another; and whether anything of them stays.

Run it for as many as you like: `python -m tests.adapters.media.aiortc.comings 10000`. It prints what this process holds
after every thousand, and fails when that grows.
"""

import asyncio
import gc
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Self

from aioice.ice import Connection
from aiortc import RTCDtlsTransport, RTCSctpTransport
from msgspec import Struct, structs
from pylibsrtp import Session

from signalreel.commands import TakeConfiguration
from signalreel.events import SessionClosed
from signalreel_adapters.media.aiortc.data import DataEnd
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.peer import Egress
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.side import Side
from signalreel_adapters.media.aiortc.transport import DtlsPeer
from signalreel_adapters.media.aiortc.viewer import Viewer
from tests.adapters.media.aiortc.attackers import open_files, rss
from tests.adapters.media.aiortc.pairs import TRANSPORTS
from tests.adapters.media.aiortc.peers import SETTINGS, Call, PlayingPeer, PublishingPeer, eventually

__all__ = ("MEMORY_GROWTH_MAX", "Comings", "Held", "grown")

_WATCHED: Final = frozenset[type](
    (
        *(DtlsPeer, Side, Publisher, Viewer, Layer, Out, DataEnd, Egress),
        *(RTCDtlsTransport, RTCSctpTransport, Connection, Session),
    )
)
"""Kinds of which none may stay when its client has gone."""

MEMORY_GROWTH_MAX: Final = 16 << 20
"""Bytes of memory by which ten thousand that came and went may make this process larger: what the allocator keeps."""

OBJECTS_GROWTH_MAX: Final = 2_000
"""Objects of any kind that may be more than at the first count: what caches keep. One for each client would be more."""

_AT_ONCE: Final = 8
_SET_UP: Final = 30.0
"""Seconds until a set-up is given up: on a machine that is busy with other things as well."""

_WITHIN: Final = 45.0


class Held(Struct, frozen=True):
    """What this process holds."""

    memory: int
    files: int
    tasks: int
    threads: int
    objects: int
    watched: dict[str, int]


def held() -> Held:
    """Count."""
    gc.collect()
    counts = Counter[str]()
    everything = gc.get_objects()
    for thing in everything:
        # By the type's ancestors: `isinstance` asks what is only half alive, and abstract classes remember each answer.
        for kind in _WATCHED & set(type(thing).__mro__):
            counts[kind.__name__] += 1
    return Held(
        memory=rss(),
        files=open_files(),
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        objects=len(everything),
        watched=dict(sorted(counts.items())),
    )


def grown(first: Held, last: Held) -> list[str]:
    """Say what has become more; nothing may have."""
    found = [
        f"{name}: {count}, at first {first.watched.get(name, 0)}"
        for name, count in last.watched.items()
        if count > first.watched.get(name, 0)
    ]
    for name in ("files", "tasks", "threads"):
        count, before = getattr(last, name), getattr(first, name)
        if count > before:
            found.append(f"{name}: {count}, at first {before}")
    if last.memory - first.memory > MEMORY_GROWTH_MAX:
        found.append(f"memory: {last.memory >> 20} MiB, at first {first.memory >> 20} MiB")
    if last.objects - first.objects > OBJECTS_GROWTH_MAX:
        found.append(f"objects: {last.objects}, at first {first.objects}")
    return found


class Comings:
    """Two servers, one of each transport, with a publisher each that stays. Use it as an async context manager."""

    def __init__(self) -> None:
        settings = structs.replace(SETTINGS, connect_timeout=_SET_UP, close_timeout=2.0)
        self._calls = [Call(structs.replace(settings, transport=each)) for each in TRANSPORTS]
        self._stayed = [PublishingPeer() for _ in self._calls]
        self._number = 0
        self.done = Counter[str]()
        self._ways: tuple[Callable[[Call, str], Awaitable[None]], ...] = (
            *(self.plays, self.publishes, self.plays_silently, self.publishes_with_data),
            *(
                self.vanishes_before_the_answer,
                self.leaves_before_its_answer,
                self.never_checks,
                self.never_shakes_hands,
            ),
            *(self.vanishes_while_playing, self.vanishes_while_publishing),
        )

    async def __aenter__(self) -> Self:
        for call, source in zip(self._calls, self._stayed, strict=True):
            await call.__aenter__()
            call.open("a")
            await call.publish("a", "s1", source)
        return self

    async def __aexit__(self, *error: object) -> None:
        for call, source in zip(self._calls, self._stayed, strict=True):
            await source.close()
            await call.__aexit__(*error)

    async def come_and_go(self, count: int) -> Held:
        """Have so many come and go, some at once; gives what is held when all have gone."""
        left = iter(range(count))

        async def one_by_one() -> None:
            for _ in left:
                self._number += 1
                way = self._ways[self._number // len(self._calls) % len(self._ways)]
                call, session = self._calls[self._number % len(self._calls)], f"n{self._number}"
                call.open(session)
                await way(call, session)
                call.event(session, SessionClosed())
                self._forget(call, session)
                self.done[getattr(way, "__name__", "")] += 1

        await asyncio.gather(*(one_by_one() for _ in range(_AT_ONCE)))
        await eventually(self._calm, "all that was closed is closed", _WITHIN)
        assert [call.failures for call in self._calls] == [0] * len(self._calls)
        return held()

    def _calm(self) -> bool:
        """Whether nothing is being closed, and only the publishers that stay are alive."""
        return all(not call.media._closing and call.media.live == (1, 0) for call in self._calls)

    def _forget(self, call: Call, session: str) -> None:
        """Let go of what only the test keeps."""
        call.steps.clear()
        call.events.clear()
        call.said.clear()
        call._listeners.pop(session, None)
        for source in self._stayed:
            source.heard.clear()

    # ----------------------------------------------------------------------------------------------- who stays a while

    async def plays(self, call: Call, session: str) -> None:
        """Play with pictures and messages, and say goodbye."""
        player = PlayingPeer()
        call.play(session, "s1", player)
        await eventually(lambda: player.offer and player.arrived("video") and player.channel, "it plays", _WITHIN)
        await player.close()

    async def plays_silently(self, call: Call, session: str) -> None:
        """Play, and let the session end first: the server says goodbye."""
        player = PlayingPeer()
        call.play(session, "s1", player)
        await eventually(lambda: player.offer and player.arrived("video"), "it plays", _WITHIN)
        call.event(session, SessionClosed())
        await eventually(lambda: player.transport._dtls.state == "closed", "the server says goodbye", _WITHIN)
        await player.close()

    async def publishes(self, call: Call, session: str) -> None:
        """Publish without data, until it is live, and say goodbye."""
        await self._publish(call, session, with_data=False)

    async def publishes_with_data(self, call: Call, session: str) -> None:
        """Publish with a data channel, until it is live, and say goodbye."""
        await self._publish(call, session, with_data=True)

    async def _publish(self, call: Call, session: str, *, with_data: bool, vanish: bool = False) -> None:
        source = PublishingPeer(session)
        call.listen(session, lambda message: source.take_answer(message.sdp))
        call.publish_offer(session, session, await source.offer(with_data=with_data))
        await eventually(lambda: source.transport.egress and source.picture > 2, "it publishes", _WITHIN)
        if vanish:
            source.vanish()
        await source.close()

    # ---------------------------------------------------------------------------------------------- who does not arrive

    async def vanishes_before_the_answer(self, call: Call, session: str) -> None:
        """Offer, and be gone when the answer comes."""
        source = PublishingPeer(session)
        call.publish_offer(session, session, await source.offer())
        await source.close()

    async def leaves_before_its_answer(self, call: Call, session: str) -> None:
        """Ask to play, and never answer."""
        player = PlayingPeer()
        call.play(session, "s1", player)
        call._listeners.pop(session)
        await asyncio.sleep(0.02)
        await player.close()

    async def never_checks(self, call: Call, session: str) -> None:
        """Offer, take the answer, and be gone before a check was sent."""
        source = PublishingPeer(session)
        call.publish_offer(session, session, await source.offer())
        await asyncio.sleep(0.02)
        await source.close()

    async def never_shakes_hands(self, call: Call, session: str) -> None:
        """Answer and check, and be gone before the DTLS handshake."""
        player = PlayingPeer()
        offers = list[str]()
        call.play(session, "s1", player)
        call.listen(session, lambda message: offers.append(message.sdp))
        await eventually(lambda: offers, "it is offered something", _WITHIN)
        player.connecting = asyncio.get_running_loop().create_task(asyncio.sleep(0))  # so that it does not connect
        sdp = await player.answer(offers[0])
        call.say(session, TakeConfiguration(stream_id="s1", type="answer", sdp=sdp))
        remote = player.remote_of(offers[0])
        await player.check(remote)
        player.vanish()
        await player.close()

    async def vanishes_while_playing(self, call: Call, session: str) -> None:
        """Play, and be gone without a word; the session ends after it."""
        player = PlayingPeer()
        call.play(session, "s1", player)
        await eventually(lambda: player.offer and player.arrived("video"), "it plays", _WITHIN)
        player.vanish()
        await player.close()

    async def vanishes_while_publishing(self, call: Call, session: str) -> None:
        """Publish, and be gone without a word; the session ends after it."""
        await self._publish(call, session, with_data=True, vanish=True)


def _line(count: int, found: Held) -> str:
    watched = " ".join(f"{name}={number}" for name, number in found.watched.items())
    return (
        f"{count:>6}: {found.memory / (1 << 20):.1f} MiB, {found.files} files, {found.tasks} tasks, "
        f"{found.threads} threads, {found.objects} objects; {watched}"
    )


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _main(count: int) -> int:
    step = max(1, min(1_000, count // 10))
    async with Comings() as comings:
        # What caches and the allocator keep is there after the first of them.
        first = last = await comings.come_and_go(step)
        _say(_line(0, first))
        for done in range(step, count + 1, step):
            last = await comings.come_and_go(step)
            _say(_line(done, last))
        _say(dict(comings.done))
    found = grown(first, last)
    _say("\n".join(found) if found else "nothing has grown")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
