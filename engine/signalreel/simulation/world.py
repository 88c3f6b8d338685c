"""A whole deployment in memory: the real engine, a server around it, clients, and a network that is theirs alone.

    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.publish("s1")
    world.run_for(SECOND)
    ben.play("s1")
    world.run_for(SECOND)
    assert ben.plays("s1")

Nothing waits: time is virtual, and passes when `run_for` is called. Everything is drawn from the plan's seed, so the
same calls give the same reel.
"""

from random import Random
from typing import Final

from signalreel.engine import Engine
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import AnyMachine
from signalreel.reel import MemoryReel
from signalreel.simulation.agenda import Agenda
from signalreel.simulation.calls import Call, PeerCall, Playing, Publishing
from signalreel.simulation.clients import Client
from signalreel.simulation.links import Link
from signalreel.simulation.luck import Luck
from signalreel.simulation.node import Node
from signalreel.simulation.paths import DOWN, UP, Path
from signalreel.simulation.plan import CHANCES, Plan
from signalreel.verify import Violation

__all__ = ("World",)

_OFFERS_EACH: Final = 1_000_000
"""More offers than any client makes in one run."""


class World:
    """Everyone and everything of one run. `keeps` has clients keep what they are told."""

    def __init__(self, plan: Plan | int = 0, *, keeps: bool = True) -> None:
        self.plan: Final = Plan(seed=plan) if isinstance(plan, int) else plan
        self.agenda: Final = Agenda()
        self.random: Final = Random(self.plan.seed)  # noqa: S311 -- a simulation, nothing secret
        odds = {name: odds for name, odds in self.plan.faults.items() if name in CHANCES}
        self.luck: Final = Luck(self.random, odds, self.plan.skipped)
        self.violations: list[Violation] = []  #: the first of them stops everything
        self.clients: dict[str, Client] = {}
        self.node: Final = Node(self.agenda, self.plan, self.luck, self.stop)
        self._keeps = keeps
        self._is_lossy = any(name in self.plan.faults for name in ("loss", "duplication", "reordering"))

    # ---- looking

    @property
    def now(self) -> int:
        """The virtual time, microseconds since the beginning."""
        return self.agenda.now

    @property
    def engine(self) -> Engine:
        """The engine, to look at."""
        return self.node.engine

    @property
    def reel(self) -> MemoryReel:
        """The reel of everything that has happened."""
        return self.node.disk.reel

    # ---- acting

    def client(self, name: str, *, app: str = "live", identity: str = "") -> Client:
        """Give the client of this name; one that was not there before is made."""
        client = self.clients.get(name)
        if client is None:
            plan = self.plan
            client = self.clients[name] = Client(
                name,
                self.agenda,
                self._connect,
                Path(self.agenda, self.luck, plan.latency_us, jitter=plan.jitter_us, is_lossy=self._is_lossy),
                self.luck,
                app=app,
                identity=identity,
                tag=f"tag-of-{name}" if plan.has_gate else "",
                candidates=plan.candidates,
                first_offer=1 + len(self.clients) * _OFFERS_EACH,
                keeps=self._keeps,
            )
            client.reach = self._flows
        return client

    def run_for(self, duration: int) -> None:
        """Let so many microseconds pass."""
        self.agenda.run_until(self.agenda.now + duration)

    def partition(self, name: str, *, up: bool = True, down: bool = True) -> None:
        """Let nothing through from a client to the server, or back, or either way, until it is mended."""
        path = self.client(name).path
        if up:
            path.sever(UP)
        if down:
            path.sever(DOWN)

    def mend(self, name: str) -> None:
        """Mend a client's path. What was sent meanwhile is under way now, as TCP has it."""
        self.client(name).path.mend()

    def crash(self, *, is_seen: bool = True) -> None:
        """Have the server die; its clients see their connections break, unless the whole machine is gone."""
        self.node.crash(is_seen=is_seen)

    def restart(self) -> None:
        """Have the server come back, with what is on its disk."""
        self.node.restart()

    def holds(self, client: Client, kind: Kind, id: str) -> AnyMachine | None:
        """Give the machine of this kind and id that a client's session holds."""
        found = self.engine.find(kind, id, app=client.app)
        session = client.session
        return found if found is not None and session and session in found.sessions else None

    def _flows(self, client: Client, call: Call) -> bool:
        """Whether the other end of a client's media is there: on the server, or at the other peer."""
        if isinstance(call, Publishing):
            return self.holds(client, Kind.STREAM, call.id) is not None
        if isinstance(call, Playing):
            return self.holds(client, Kind.PLAYBACK, playback_id(client.session, call.id)) is not None
        exchange = call.exchange if isinstance(call, PeerCall) else -1
        return any(
            other is not client and other.app == client.app and other.talks(call.id, exchange)
            for other in self.clients.values()
        )

    def _connect(self, client: Client) -> Link:
        return Link(self.agenda, client.path, client, self.node)

    def stop(self, violations: list[Violation]) -> None:
        """Note what does not hold, and let nothing happen any more."""
        self.violations += violations
        self.agenda.is_stopped = True

    def stop_if(self, violations: list[Violation]) -> None:
        """Do so if there are any."""
        if violations:
            self.stop(violations)
