"""A run that goes wrong, made small: fewer records where those alone go wrong, else a smaller plan.

    small = shrink_run(run)
    print(len(small.records), "of", run.inputs, "records")

Whatever breaks an invariant, or leaves something when everyone has gone, goes wrong by its records: they are shrunk as
those of any reel. What does not come about in time goes wrong by what clients did not get; there the plan is made
smaller, and run again, as long as the same promise is broken: fewer faults, fewer people, less time, and other seeds,
because a smaller plan draws other numbers; in the end, single deeds of people and strikes of faults are left out. What
remains is a whole run then, with its people, and not a list of records that somebody applies.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.failing import CRASHES, NEVER, Breaks, Check, Rename, Start, engine_of
from signalreel.debug.renumber import remade
from signalreel.debug.shrink import Progress, shrink
from signalreel.errors import InvalidRecord, NotFailing, OutOfOrder
from signalreel.record import Record
from signalreel.reel import MemoryReel
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import Run, simulate
from signalreel.verify import INVARIANTS

__all__ = ("RUNS_MAX", "SEEDS_TRIED", "LeftForEver", "Small", "code_of", "shrink_run", "smaller_plans")

RUNS_MAX: Final = 600
"""Runs of smaller plans that are tried at most; what has been reached by then is given."""

SEEDS_TRIED: Final = 8
"""Seeds that each smaller plan is tried with, besides the one that failed."""

_LEFT: Final = "nothing-is-left"


class Small(Struct, frozen=True):
    """What is left of a run."""

    reel: MemoryReel
    records: int
    plan: Plan | None  #: whose run it is; None when records were taken out, so that it is the run of no plan


class LeftForEver:
    """Something is left when no session is, and waits for no timer: nothing will ever end it."""

    @property
    def text(self) -> str:
        """The name of what must come about."""
        return _LEFT

    def first(self, start: Start, records: Sequence[Record]) -> int:
        """Give the first record after which that is so."""
        try:
            engine = engine_of(start)
            for record in records:
                step = engine.apply(record)
                if step.deadline is None and not engine.sessions() and any(True for _ in engine.machines()):
                    return record.seq
        except (InvalidRecord, OutOfOrder, *CRASHES):
            return NEVER
        return NEVER

    def renamed(self, name: Rename) -> "LeftForEver":
        """No name is in it."""
        return self


def shrink_run(run: Run, progress: Progress | None = None) -> Small:
    """Make the run of a plan small by what it broke first. Raises `ValueError` when it broke nothing."""
    if not run.violations:
        raise ValueError("this run broke nothing")
    name = run.violations[0].invariant
    check: Check | None = Breaks(name) if name in INVARIANTS else LeftForEver() if name == _LEFT else None
    if check is not None:
        try:
            left = shrink(run.reel, check, progress)
        except NotFailing:  # By the records alone it does not go wrong, so the people have to be there.
            pass
        else:
            return Small(remade(left.header, left.records), len(left.records), None)
    smallest = _with_smaller_plan(run, name, progress)
    return Small(smallest.reel, smallest.inputs, smallest.plan)


def _with_smaller_plan(run: Run, name: str, progress: Progress | None) -> Run:
    """Run smaller plans as long as one of them breaks the same."""
    left = RUNS_MAX
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for plan in smaller_plans(run.plan):
            found, tried = _breaking(plan, name, left, run.inputs)
            left -= tried
            if found is not None:
                run, is_smaller = found, True
                if progress is not None:
                    progress("faults and people", run.inputs)
                break
            if left <= 0:
                break
    return _with_fewer_deeds(run, name, progress)


def _with_fewer_deeds(run: Run, name: str, progress: Progress | None) -> Run:
    """Leave out what people do and what strikes, the largest parts first, as long as the same is broken."""
    left = RUNS_MAX
    size = max(1, run.deeds // 2)
    while left > 0:
        kept = [number for number in range(1, run.deeds + 1) if number not in run.plan.skipped]
        is_smaller = False
        for place in range(0, len(kept), size):
            plan = replace(run.plan, skipped=(*run.plan.skipped, *kept[place : place + size]))
            found = _broken_by(plan, name, run.inputs)
            left -= 1
            if found is not None:
                run, is_smaller = found, True
                if progress is not None:
                    progress("deeds", run.inputs)
                break
            if left <= 0:
                break
        if not is_smaller:
            if size == 1:
                break
            size //= 2
    return run


def _broken_by(plan: Plan, name: str, inputs_max: int) -> Run | None:
    """Run a plan; give the run when it breaks this in no more inputs."""
    try:
        run = simulate(plan)
    except Exception:  # noqa: BLE001 -- another failure than the one that is looked for
        return None
    is_small = run.inputs <= inputs_max
    return run if is_small and any(violation.invariant == name for violation in run.violations) else None


def _breaking(plan: Plan, name: str, runs_max: int, inputs_max: int) -> tuple[Run | None, int]:
    """Find a seed with which this plan breaks the same in no more inputs; give how many were run."""
    seeds = [plan.seed, *(seed for seed in range(SEEDS_TRIED) if seed != plan.seed)][:runs_max]
    for tried, seed in enumerate(seeds, 1):
        run = _broken_by(replace(plan, seed=seed), name, inputs_max)
        if run is not None:
            return run, tried
    return None, len(seeds)


def code_of(plan: Plan) -> str:
    """Write a plan as Python: what is not as usual in it, and of its settings likewise."""
    return _code_of(plan, Plan())


def _code_of(value: Struct, usual: Struct) -> str:
    fields: list[str] = []
    for name in value.__struct_fields__:
        own, other = getattr(value, name), getattr(usual, name)
        if own != other:
            fields.append(f"{name}={_code_of(own, other) if isinstance(own, Struct) else repr(own)}")
    return f"{type(value).__name__}({', '.join(fields)})"


_ROLES: Final = ("hostile", "twins", "members", "peers", "players", "publishers")

_PLAIN: Final[tuple[dict[str, object], ...]] = (
    {"has_gate": False, "uses_once": False},
    {"uses_once": False},
    {"is_buffered": False},
    {"commit_us": 0},
    {"chatter": 0.0},
    {"jitter_us": 0},
    {"candidates": 0},
    {"settings": Plan().settings},
)
"""What makes a plan plainer, where it is not so already."""


def smaller_plans(plan: Plan) -> Iterator[Plan]:
    """Give plans with less in them, those with least first. Each is smaller by something, so this comes to an end."""
    names = list(plan.faults)
    size = len(names)
    while size:
        for place in range(0, len(names), size):
            gone = set(names[place : place + size])
            yield replace(plan, faults={name: odds for name, odds in plan.faults.items() if name not in gone})
        size //= 2
    for role in _ROLES:
        count: int = getattr(plan, role)
        if count:
            yield replace(plan, **{role: 0})
        if count > 1:
            yield replace(plan, **{role: count - 1})
    for plain in _PLAIN:
        if any(getattr(plan, field) != value for field, value in plain.items()):
            yield replace(plan, **plain)
    if plan.safety_us >= 2 * SECOND:
        yield replace(plan, safety_us=plan.safety_us // 2)
