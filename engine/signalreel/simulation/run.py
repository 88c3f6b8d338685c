"""One run: a world by a plan, its people, and what came of it.

    run = simulate(Plan(seed=7, publishers=1, players=2))
    assert not run.violations

First everybody comes and goes; then they settle. What they settle for must come about in time.
"""

from msgspec import Struct

from signalreel.header import Header
from signalreel.reel import MemoryReel
from signalreel.simulation.disk import reel_of
from signalreel.simulation.people import People
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World
from signalreel.step import Fired, Step
from signalreel.verify import Violation

__all__ = ("RowFired", "Run", "simulate")

RowFired = tuple[str, str, str, int]
"""A row of a cell that fired: kind of machine, state, input, number of the row."""


class Run(Struct, frozen=True):
    """What came of a plan."""

    plan: Plan
    header: Header
    steps: list[Step]
    violations: list[Violation]  #: the first one stopped the run
    time: int  #: virtual, microseconds
    faults: dict[str, int]  #: how often each kind was injected
    sometimes: dict[str, int]  #: how often what should happen sometimes did
    fired: dict[RowFired, int]  #: how often each row did
    refused: dict[str, int]  #: how often, by definition
    states: int  #: states of machines that were seen, of all kinds
    pings: int  #: answered off the reel

    @property
    def inputs(self) -> int:
        """How many records were applied."""
        return len(self.steps)

    @property
    def reel(self) -> MemoryReel:
        """The run as a reel, written when it is asked for."""
        return reel_of(self.header, self.steps)


def simulate(plan: Plan) -> Run:
    """Run a plan."""
    world = World(plan, keeps=False)
    people = People(world, plan)
    world.run_for(plan.safety_us)
    if not world.violations:
        people.settle()
        world.run_for(plan.settle_us)
    return _run_of(world)


def _run_of(world: World) -> Run:
    node = world.node
    fired = _counted(node.disk.steps)
    rows: dict[RowFired, int] = {(one.kind, one.state, one.input, one.row): count for one, count in fired.items()}
    return Run(
        plan=world.plan,
        header=node.header,
        steps=node.disk.steps,
        violations=world.violations,
        time=world.now,
        faults={},
        sometimes={},
        fired=rows,
        refused=node.refused,
        states=len(dict.fromkeys((kind, state) for kind, state, _, _ in rows)),
        pings=node.pings,
    )


def _counted(steps: list[Step]) -> dict[Fired, int]:
    """Count the rows that fired."""
    counts: dict[Fired, int] = {}
    for step in steps:
        for _, fired in step.fired:
            counts[fired] = counts.get(fired, 0) + 1
    return counts
