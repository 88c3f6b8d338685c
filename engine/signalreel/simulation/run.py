"""One run: a world by a plan, its people, and what came of it.

    run = simulate(Plan(seed=7, publishers=1, players=2))
    assert not run.violations

First everybody comes and goes, and things go wrong. Then all is healed and everybody settles; what they settle for
must come about in time. In the end they go, and nothing may be left.
"""

from msgspec import Struct

from signalreel.header import Header
from signalreel.reel import MemoryReel
from signalreel.simulation.disk import reel_of
from signalreel.simulation.faults import Faults
from signalreel.simulation.liveness import left_behind, unsettled
from signalreel.simulation.people import People
from signalreel.simulation.plan import Plan
from signalreel.simulation.sometimes import count_sometimes
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
    unrecorded: int  #: commands answered off the reel, because it failed
    deeds: int  #: of people, and strikes of faults, those that were left out included

    @property
    def inputs(self) -> int:
        """How many records were applied."""
        return len(self.steps)

    @property
    def reel(self) -> MemoryReel:
        """The run as a reel, written when it is asked for."""
        return reel_of(self.header, self.steps)


def simulate(plan: Plan) -> Run:
    """Run a plan: people and faults, then none of either and time to settle, then everyone goes."""
    world = World(plan, keeps=False)
    people = People(world, plan)
    faults = Faults(world, plan)
    world.run_for(plan.safety_us)
    if not world.violations and plan.settle_us:
        faults.heal()
        people.settle()
        world.run_for(plan.settle_us)
        if not world.violations:
            world.stop_if(unsettled(world, people))
    if not world.violations and plan.leave_us:
        people.go()
        world.run_for(plan.leave_us)
        if not world.violations:
            world.stop_if(left_behind(world))
    return _run_of(world)


def _run_of(world: World) -> Run:
    node = world.node
    steps = node.disk.steps
    fired = _counted(steps)
    refused: dict[str, int] = {}
    for step in steps:
        if step.refused:
            refused[step.refused] = refused.get(step.refused, 0) + 1
    rows: dict[RowFired, int] = {(one.kind, one.state, one.input, one.row): count for one, count in fired.items()}
    return Run(
        plan=world.plan,
        header=node.header,
        steps=steps,
        violations=world.violations,
        time=world.now,
        faults=world.luck.counts,
        sometimes=count_sometimes(fired),
        fired=rows,
        refused=refused,
        states=len(dict.fromkeys((kind, state) for kind, state, _, _ in rows)),
        pings=node.pings,
        unrecorded=node.unrecorded,
        deeds=world.luck.deeds,
    )


def _counted(steps: list[Step]) -> dict[Fired, int]:
    """Count the rows that fired."""
    counts: dict[Fired, int] = {}
    for step in steps:
        for _, fired in step.fired:
            counts[fired] = counts.get(fired, 0) + 1
    return counts
