"""The folder of seeds that failed."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from signalreel.replay import Cursor
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.smaller import Small
from signalreel.simulation.swarm import Draw
from signalreel.verify import Violation
from signalreel_adapters import SqliteReel
from signalreel_adapters.swarm.store import FILE_BYTES_MAX, FailingSeeds, StoreUnusable, command_of

BROKEN = Violation("one-owner", 5, "stream live/s0", "two own it")


@pytest.fixture(scope="module")
def run() -> Run:
    """Run something with a few records."""
    return simulate(Plan(seed=7, publishers=1, safety_us=5_000_000))


def test_what_is_kept_is_read_again(tmp_path: Path, run: Run) -> None:
    """What was broken, how to have it again, and the whole reel; the folder is made for it."""
    store = FailingSeeds(tmp_path / "some" / "folder")
    kept = store.keep(7, Draw(), BROKEN, run)

    assert store.read() == [kept]
    assert kept.violation == BROKEN
    assert kept.command == "signalreel simulate --seeds 7..7"
    assert set(store.files_of(kept)) == {"reel"}
    reel = SqliteReel.read(store.files_of(kept)["reel"])
    assert reel.last_seq == run.inputs == kept.records
    assert reel.header.seed == 7


def test_what_is_left_of_it_comes_beside_it(tmp_path: Path, run: Run) -> None:
    """The shrunk reel and its sequence diagram; the smaller plan as Python that can be run."""
    store = FailingSeeds(tmp_path)
    plan = replace(run.plan, candidates=0)
    small = simulate(plan)
    kept = store.keep_small(store.keep(7, Draw(), BROKEN, run), Small(small.reel, small.inputs, plan))

    assert store.read() == [kept]
    assert set(store.files_of(kept)) == {"reel", "shrunk", "diagram"}
    assert kept.shrunk_records == len(list(Cursor(SqliteReel.read(store.files_of(kept)["shrunk"]))))
    assert store.files_of(kept)["diagram"].read_text().startswith("<svg")
    assert eval(kept.plan, {"Plan": Plan, "Settings": type(plan.settings)}) == plan  # noqa: S307 -- it is to be pasted


def test_a_later_failure_takes_the_place_of_an_earlier_one(tmp_path: Path, run: Run) -> None:
    """Nothing is left of the one before, whose shrunk reel would tell of something else."""
    store = FailingSeeds(tmp_path)
    store.keep_small(store.keep(7, Draw(), BROKEN, run), Small(run.reel, run.inputs, None))
    kept = store.keep(7, Draw(), replace(BROKEN, invariant="room-list"), None)

    assert store.read() == [kept]
    assert store.files_of(kept) == {}


def test_other_drawings_of_a_seed_are_other_failures(tmp_path: Path) -> None:
    """Each has files of its own, and a command that draws it that way."""
    draws = [
        Draw(),
        Draw(clients=9),
        Draw(seconds=90),
        Draw(faults=()),
        Draw(faults=("full disk", "crash")),
        Draw(seconds=8, safety_only=True),
    ]
    store = FailingSeeds(tmp_path)
    for draw in draws:
        store.keep(7, draw, BROKEN, None)

    assert len(store.read()) == len(draws)
    assert [command_of(7, draw).removeprefix("signalreel simulate --seeds 7..7") for draw in draws] == [
        "",
        " --clients 9",
        " --seconds 90",
        ' --faults "none"',
        ' --faults "full disk,crash"',
        " --seconds 8 --safety-only",
    ]


def test_what_cannot_be_kept_is_said(tmp_path: Path, run: Run) -> None:
    """A folder that is a file."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnusable, match="nothing can be kept there"):
        FailingSeeds(tmp_path / "file").keep(7, Draw(), BROKEN, run)
    with pytest.raises(StoreUnusable, match="there is no such folder"):
        FailingSeeds(tmp_path / "nowhere").read()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 10_000,
        b" " * (FILE_BYTES_MAX + 1),
        {"seed": -1},
        {"draw": {"clients": 1_000_000_000}},
        {"draw": {"seconds": 0}},
        {"draw": {"faults": ["plague"]}},
        {"surprise": 1},
    ],
    ids=repr,
)
def test_a_file_that_is_no_failed_seed_is_named(tmp_path: Path, data: bytes | dict[str, object]) -> None:
    """Whatever is in it: one sentence, and nothing is run."""
    store = FailingSeeds(tmp_path)
    store.keep(7, Draw(), BROKEN, None)
    (file,) = tmp_path.glob("*.json")
    if isinstance(data, dict):
        data = msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | data)
    file.write_bytes(data)

    with pytest.raises(StoreUnusable, match=r"seed-7\.json: this is no failed seed"):
        store.read()
