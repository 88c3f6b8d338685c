"""Many runs: each by a plan drawn from its seed, what came of each in few bytes, and what all of them came to.

    swarm = Swarm()
    for seed in range(200):
        swarm.add(run_seed(seed))
    assert not swarm.failing
    print(swarm.never_reached)

A result is small enough to be handed from one process to another. What is summed does not depend on the order in which
results come.
"""

from hashlib import blake2b
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.rows import ROWS
from signalreel.header import encode_header
from signalreel.replay import Cursor
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.liveness import LIVENESS
from signalreel.simulation.plan import FAULTS, Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.sometimes import SOMETIMES
from signalreel.verify import INVARIANTS, Invariant, Violation

__all__ = (
    "CLIENTS_MAX",
    "PROMISES",
    "SECONDS_MAX",
    "SECONDS_MIN",
    "Covered",
    "Draw",
    "Result",
    "Swarm",
    "digest_of",
    "replays_the_same",
    "result_of",
    "run_seed",
)

CLIENTS_MAX: Final = 64
"""Most clients of a drawn plan."""

SECONDS_MAX: Final = 3_600
"""Most virtual seconds of a drawn plan."""

SECONDS_MIN: Final = 50
"""Fewest virtual seconds of a drawn plan in which everyone is to come to rest: what must come about takes that long."""

_RAISES: Final = Invariant("nothing-raises", "every command", "Whatever comes in, the engine answers it by a step.")

PROMISES: Final[dict[str, Invariant]] = {**INVARIANTS, **LIVENESS, _RAISES.name: _RAISES}
"""Everything that a run can break, by name."""

_DIGEST_SIZE: Final = 16


class Draw(Struct, frozen=True):
    """How plans are drawn from seeds."""

    clients: int = 4
    seconds: int = 60
    faults: tuple[str, ...] | None = None  #: the only ones that there can be; None: all
    safety_only: bool = False  #: things go wrong all the time; nobody asks what comes about in the end

    def plan(self, seed: int) -> Plan:
        """Draw the plan of a seed."""
        plan = Plan.drawn(seed, clients=self.clients, seconds=self.seconds)
        if self.safety_only:
            plan = replace(plan, safety_us=self.seconds * SECOND, settle_us=0, leave_us=0)
        if self.faults is None:
            return plan
        return replace(plan, faults={name: odds for name, odds in plan.faults.items() if name in self.faults})


class Result(Struct, frozen=True, omit_defaults=True):
    """What came of a seed, in few bytes."""

    seed: int
    inputs: int
    time: int  #: virtual, microseconds
    violations: tuple[Violation, ...] = ()
    faults: dict[str, int] = {}
    sometimes: dict[str, int] = {}  #: those that happened
    fired: dict[int, int] = {}  #: how often each row did, by its number
    refused: dict[str, int] = {}
    pings: int = 0
    digest: str = ""  #: of everything that came of it, when it was asked for


def run_seed(seed: int, draw: Draw | None = None, *, has_digest: bool = False, is_replayed: bool = False) -> Result:
    """Run a seed. An engine that raises breaks a promise like any other; so does a reel that is replayed otherwise."""
    plan = (draw or Draw()).plan(seed)
    try:
        run = simulate(plan)
    except Exception as error:  # noqa: BLE001 -- whatever is raised is what was looked for
        return Result(seed, 0, 0, (Violation(_RAISES.name, 0, f"seed {seed}", _told(error)),))
    result = result_of(run, has_digest=has_digest)
    if is_replayed and not replays_the_same(run):
        wrong = Violation("replays-the-same", run.inputs, "reel", "replayed as a whole it gives something else")
        result = replace(result, violations=(*result.violations, wrong))
    return result


def _told(error: Exception) -> str:
    """Name what was raised, and where."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__', '')}, line {trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__} in {where}"


def result_of(run: Run, *, has_digest: bool = False) -> Result:
    """Keep of a run what is summed."""
    fired: dict[int, int] = {}
    for (kind, state, input, row), count in run.fired.items():
        number = _NUMBERS.get((kind, state, input, row))
        if number is not None:
            fired[number] = count
    return Result(
        seed=run.plan.seed,
        inputs=run.inputs,
        time=run.time,
        violations=tuple(run.violations),
        faults=run.faults,
        sometimes={name: count for name, count in run.sometimes.items() if count},
        fired=fired,
        refused=run.refused,
        pings=run.pings,
        digest=digest_of(run) if has_digest else "",
    )


_NUMBERS: Final = {(row.kind, row.state, row.input, row.row): number for number, row in enumerate(ROWS)}


def digest_of(run: Run) -> str:
    """Give one number for all that came of a run: every byte of its reel, and what it told besides."""
    whole = blake2b(encode_header(run.header), digest_size=_DIGEST_SIZE)
    for entry in run.reel.entries():
        whole.update(entry.record)
        whole.update(entry.chain)
        whole.update(repr(entry.outcome).encode())
    for told in (run.violations, run.time, run.faults, run.sometimes, run.refused, run.pings, run.unrecorded):
        whole.update(repr(told).encode())
    return whole.hexdigest()


def replays_the_same(run: Run) -> bool:
    """Whether the reel of a run, read from its bytes and applied anew, gives again what is on it."""
    digest = b""
    for replayed in Cursor(run.reel):
        if replayed.divergence is not None:
            return False
        digest = replayed.step.digest
    return not run.steps or digest == run.steps[-1].digest


class Covered(Struct, frozen=True):
    """Of one kind of machine: how many cells, rows and states can be reached, and how many were."""

    cells: int
    cells_fired: int
    rows: int
    rows_fired: int
    states: int
    states_seen: int


class Swarm:
    """The sum of many results."""

    def __init__(self) -> None:
        self.seeds = 0
        self.inputs = 0
        self.pings = 0
        self.time = 0  #: virtual, microseconds
        self.failing: dict[int, tuple[Violation, ...]] = {}  #: by seed
        self.faults: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.sometimes: dict[str, int] = dict.fromkeys(SOMETIMES, 0)
        self.refused: dict[str, int] = {}
        self.fired: list[int] = [0] * len(ROWS)

    def add(self, result: Result) -> None:
        """Add what came of a seed."""
        self.seeds += 1
        self.inputs += result.inputs
        self.pings += result.pings
        self.time += result.time
        if result.violations:
            self.failing[result.seed] = result.violations
        _add(self.faults, result.faults)
        _add(self.sometimes, result.sometimes)
        _add(self.refused, result.refused)
        fired = self.fired
        for number, count in result.fired.items():
            fired[number] += count

    @property
    def violations(self) -> int:
        """How many there are, of all seeds."""
        return sum(map(len, self.failing.values()))

    @property
    def never_injected(self) -> list[str]:
        """The kinds of fault that never struck."""
        return [name for name, count in self.faults.items() if not count]

    @property
    def never_reached(self) -> list[str]:
        """What should happen sometimes, and never did."""
        return [name for name, count in self.sometimes.items() if not count]

    @property
    def never_fired(self) -> list[str]:
        """The cells that can be reached and never were, as `kind state input`."""
        cells = _cells()
        return [" ".join(place) for place, numbers in cells.items() if not any(self.fired[one] for one in numbers)]

    @property
    def covered(self) -> dict[str, Covered]:
        """What was reached of each kind of machine."""
        found: dict[str, Covered] = {}
        cells = _cells()
        for kind in dict.fromkeys(row.kind for row in ROWS):
            own = {place: numbers for place, numbers in cells.items() if place[0] == kind}
            fired = [place for place, numbers in own.items() if any(self.fired[one] for one in numbers)]
            rows = [number for numbers in own.values() for number in numbers]
            found[kind] = Covered(
                cells=len(own),
                cells_fired=len(fired),
                rows=len(rows),
                rows_fired=sum(self.fired[number] > 0 for number in rows),
                states=len({state for _, state, _ in own}),
                states_seen=len({state for _, state, _ in fired}),
            )
        return found


def _add(sums: dict[str, int], counts: dict[str, int]) -> None:
    for name, count in counts.items():
        sums[name] = sums.get(name, 0) + count


def _cells() -> dict[tuple[str, str, str], list[int]]:
    """Give the numbers of the rows of each cell, without those that nothing reaches."""
    cells: dict[tuple[str, str, str], list[int]] = {}
    for number, row in enumerate(ROWS):
        if not row.is_unreachable:
            cells.setdefault((row.kind, row.state, row.input), []).append(number)
    return cells
