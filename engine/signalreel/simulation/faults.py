"""What goes wrong in a run: each kind strikes at random, as often as the plan says, until everything is healed.

Most of what strikes lasts a while and is put right again by itself; `heal` puts everything right at once.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from signalreel.events import LicenceChanged, ResourcesMeasured, SettingsChanged
from signalreel.host import (
    BlockSubscriber,
    CloseRoom,
    EndStream,
    KickSession,
    RegisterRoom,
    RegisterStream,
    UnregisterRoom,
    UnregisterStream,
)
from signalreel.identifiers import Kind, Reference
from signalreel.machines.shapes import Playback, Stream
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel.settings import Settings
from signalreel.simulation.agenda import MINUTE, MS, SECOND
from signalreel.simulation.clients import Client
from signalreel.simulation.paths import DOWN, UP
from signalreel.simulation.plan import STARTED_AT, STRIKES, Plan
from signalreel.simulation.world import World

__all__ = ("Faults",)

_APP: Final = "live"
_SLOW_COMMIT: Final = 400 * MS
_OVERLOADED: Final = ResourcesMeasured(99, 1_000)
_AT_EASE: Final = ResourcesMeasured(20, 1_000)
_HOUR_S: Final = 3_600


class Faults:
    """Whatever strikes a world."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world: Final = world
        self._plan: Final = plan
        self._node: Final = world.node
        self._agenda: Final = world.agenda
        self._random: Final = world.random
        self._luck: Final = world.luck
        self._is_healed = False
        self._blocked: dict[str, None] = {}
        self._registered: dict[str, None] = {}
        self._strikes: Final[dict[str, Callable[[], bool]]] = {
            "partition": lambda: self._cut(UP, DOWN),
            "one way": lambda: self._cut(UP if self._random.random() < 0.5 else DOWN),  # noqa: PLR2004 -- either
            "slow reader": lambda: self._cut(DOWN),
            "reset": self._reset,
            "half-open": self._half_open,
            "crash": lambda: self._crash(is_seen=True),
            "machine gone": lambda: self._crash(is_seen=False),
            "shutdown": self._shut_down,
            "slow disk": self._slow_disk,
            "full disk": self._full_disk,
            "clock jump": self._jump,
            "load": self._load,
            "licence": self._suspend,
            "settings": self._set,
            "media lost": lambda: self._lose(silent=False),
            "silence": lambda: self._lose(silent=True),
            "kick": self._kick,
            "end stream": self._end_stream,
            "close room": self._close_room,
            "block": self._block,
            "registration": self._register,
        }
        for name in STRIKES:
            rate = plan.faults.get(name)
            if rate:
                self._next(name, rate)

    def heal(self) -> None:
        """Put everything right, and let nothing go wrong any more."""
        self._is_healed = True
        self._luck.heal()
        node = self._node
        for client in self._world.clients.values():
            client.path.heal()
        self._mend_disk()
        if not node.is_up or node.is_stopping:
            node.crash()
            node.restart()
        node.set_wall(STARTED_AT)
        if "load" in self._plan.faults:
            node.report(_AT_EASE)
        if "licence" in self._plan.faults:
            node.report(LicenceChanged(suspended=False))
        if "settings" in self._plan.faults:
            node.report(SettingsChanged(self._plan.settings))
        for name in list(self._blocked):
            self._unblock(name)
        for id in list(self._registered):
            self._unregister(id)
        # What a client left without a word is let go now, so that nobody waits for the server to notice.
        held = {client.link for client in self._world.clients.values()}
        for link in list(node.links.values()):
            if link not in held:
                link.reset()

    def _next(self, name: str, rate: float) -> None:
        self._agenda.after(1 + int(self._random.expovariate(rate) * MINUTE), self._strike, name, rate)

    def _strike(self, name: str, rate: float) -> None:
        if self._is_healed:
            return
        if self._luck.is_done() and self._strikes[name]():
            self._luck.count(name)
        self._next(name, rate)

    def _for_a_while(self, undo: Callable[[], None], most: int) -> None:
        """Put something right again after a while, unless everything is healed before."""

        def right() -> None:
            if not self._is_healed:
                undo()

        self._agenda.after(1 + int(self._random.random() * most), right)

    def _somebody(self) -> Client | None:
        attached = [client for client in self._world.clients.values() if client.link is not None]
        return self._random.choice(attached) if attached else None

    # ---- the network

    def _cut(self, *ways: int) -> bool:
        client = self._somebody()
        if client is None:
            return False
        for way in ways:
            client.path.sever(way)
        self._for_a_while(client.path.mend, 20 * SECOND)
        return True

    def _reset(self) -> bool:
        client = self._somebody()
        if client is None or client.link is None:
            return False
        client.link.reset()
        return True

    def _half_open(self) -> bool:
        client = self._somebody()
        if client is None:
            return False
        client.vanish()
        return True

    # ---- the server

    def _crash(self, *, is_seen: bool) -> bool:
        if not self._node.is_up:
            return False
        self._node.crash(is_seen=is_seen)
        self._for_a_while(self._node.restart, 8 * SECOND)
        return True

    def _shut_down(self) -> bool:
        node = self._node
        if not node.is_up or node.is_stopping:
            return False
        node.shut_down()

        def come_back() -> None:
            node.crash()
            node.restart()

        self._agenda.after(3 * SECOND, self._unless_healed, come_back)
        return True

    def _unless_healed(self, action: Callable[[], None]) -> None:
        if not self._is_healed:
            action()

    def _slow_disk(self) -> bool:
        self._node.disk.commit_us = _SLOW_COMMIT
        self._for_a_while(self._mend_disk, 5 * SECOND)
        return True

    def _full_disk(self) -> bool:
        self._node.disk.is_full = True
        self._for_a_while(self._mend_disk, 5 * SECOND)
        return True

    def _mend_disk(self) -> None:
        self._node.disk.commit_us = self._plan.commit_us
        self._node.disk.is_full = False

    def _jump(self) -> bool:
        seconds = int((self._random.random() - 0.5) * 2 * _HOUR_S)
        self._node.set_wall(STARTED_AT + seconds * SECOND)
        return True

    def _load(self) -> bool:
        self._node.report(_OVERLOADED)
        self._for_a_while(lambda: self._node.report(_AT_EASE), 8 * SECOND)
        return True

    def _suspend(self) -> bool:
        self._node.report(LicenceChanged(suspended=True))
        self._for_a_while(lambda: self._node.report(LicenceChanged(suspended=False)), 8 * SECOND)
        return True

    def _set(self) -> bool:
        plain = self._plan.settings
        others: tuple[Settings, ...] = (
            replace(plain, viewers_max=1),
            replace(plain, streams_max=1),
            replace(plain, room_streams_max=1),
            replace(plain, session_machines_max=2),
            replace(plain, registered_streams_only=True),
            replace(plain, registered_rooms_only=True),
            replace(plain, codecs=()),
            replace(plain, adaptive=True),
            replace(plain, publish_timeout_ms=1_000, play_timeout_ms=1_000),
            replace(plain, restore_ms=0),
            replace(plain, hide_streams=not plain.hide_streams),
        )
        self._node.report(SettingsChanged(self._random.choice(others)))
        self._for_a_while(lambda: self._node.report(SettingsChanged(plain)), 10 * SECOND)
        return True

    # ---- media

    def _lose(self, *, silent: bool) -> bool:
        kinds = (Kind.STREAM,) if silent else (Kind.STREAM, Kind.PLAYBACK)
        live = [machine for machine in self._node.media.live if machine.kind in kinds]
        if not live:
            return False
        machine = self._random.choice(live)
        self._tell_client(machine)
        self._node.media.lose(machine, silent=silent)
        return True

    def _tell_client(self, reference: Reference) -> None:
        """Whoever published or played it notices as well."""
        machine = self._node.engine.find(reference.kind, reference.id, app=reference.app)
        if isinstance(machine, Stream | Playback):
            id = machine.watches if isinstance(machine, Playback) else machine.id
            for client in self._world.clients.values():
                if client.session and client.session in machine.sessions:
                    client.media_lost(id)

    # ---- the host

    def _kick(self) -> bool:
        client = self._somebody()
        if client is None or not client.session:
            return False
        self._node.order(KickSession(session=client.session))
        return True

    def _end_stream(self) -> bool:
        ids = [key[2] for key, _ in self._node.engine.machines(Kind.STREAM)]
        if not ids:
            return False
        self._node.order(EndStream(app=_APP, stream_id=self._random.choice(ids)))
        return True

    def _close_room(self) -> bool:
        ids = [key[2] for key, _ in self._node.engine.machines(Kind.ROOM)]
        if not ids:
            return False
        self._node.order(CloseRoom(app=_APP, room=self._random.choice(ids)))
        return True

    def _block(self) -> bool:
        client = self._somebody()
        if client is None or not client.tag:
            return False
        until = (self._agenda.now + STARTED_AT) // SECOND + _HOUR_S
        self._blocked[client.name] = None
        self._node.order(BlockSubscriber(app=_APP, subscriber_id=client.name, identity=client.tag, until=until))
        self._for_a_while(lambda: self._unblock(client.name), 8 * SECOND)
        return True

    def _unblock(self, name: str) -> None:
        if name in self._blocked:
            client = self._world.clients[name]
            self._node.order(BlockSubscriber(app=_APP, subscriber_id=name, identity=client.tag, until=0))

    def _register(self) -> bool:
        random = self._random
        now = (self._agenda.now + STARTED_AT) // SECOND
        id = random.choice(("s0", "s1", "r0"))
        start = now + random.choice((-_HOUR_S, 3))
        limit = random.choice((-1, 1))
        if id.startswith("r"):
            self._node.order(RegisterRoom(app=_APP, room=RegisteredRoom(id, start, start + 2 * _HOUR_S, limit)))
        else:
            waits = random.random() < 0.5  # noqa: PLR2004 -- either
            stream = RegisteredStream(
                id, planned_start=start, planned_end=start + 2 * _HOUR_S, viewers_max=limit, waits=waits
            )
            self._node.order(RegisterStream(app=_APP, stream=stream))
        self._registered[id] = None
        self._for_a_while(lambda: self._unregister(id), 10 * SECOND)
        return True

    def _unregister(self, id: str) -> None:
        """Forget it again. A record of it may have been lost with a crash: then there is nothing to forget."""
        if id.startswith("r"):
            self._node.order(UnregisterRoom(app=_APP, room=id))
        else:
            self._node.order(UnregisterStream(app=_APP, stream_id=id))
