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
from signalreel.reel import MemoryReel
from signalreel.simulation.agenda import Agenda
from signalreel.simulation.clients import Client
from signalreel.simulation.links import Link
from signalreel.simulation.node import Node
from signalreel.simulation.plan import Plan
from signalreel.verify import Violation

__all__ = ("World",)


class World:
    """Everyone and everything of one run. `keeps` has clients keep what they are told."""

    def __init__(self, plan: Plan | int = 0, *, keeps: bool = True) -> None:
        self.plan: Final = Plan(seed=plan) if isinstance(plan, int) else plan
        self.agenda: Final = Agenda()
        self.random: Final = Random(self.plan.seed)  # noqa: S311 -- a simulation, nothing secret
        self.violations: list[Violation] = []  #: the first of them stops everything
        self.clients: dict[str, Client] = {}
        self.node: Final = Node(self.agenda, self.plan, self.random, self.stop)
        self._keeps = keeps

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
            client = self.clients[name] = Client(
                name,
                self.agenda,
                self._connect,
                app=app,
                identity=identity,
                candidates=self.plan.candidates,
                keeps=self._keeps,
            )
        return client

    def run_for(self, duration: int) -> None:
        """Let so many microseconds pass."""
        self.agenda.run_until(self.agenda.now + duration)

    def _connect(self, client: Client) -> Link:
        return Link(self.agenda, client, self.node, self.plan.latency_us)

    def stop(self, violations: list[Violation]) -> None:
        """Note what does not hold, and let nothing happen any more."""
        self.violations += violations
        self.agenda.is_stopped = True
