"""`signalreel_adapters.testing.plugin`: its fixtures, and runs of pytest with marks and failures."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect

from signalreel.commands import JoinRoom, Publish, Stop
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel.simulation import World
from signalreel_adapters.reels.whole import WholeReel
from signalreel_adapters.testing import Clients, ManualClock, RecordedEngine, ServerThread, leave_reel
from signalreel_adapters.testing.clock import SECOND
from tests.repository import ROOT

PLUGIN: Final = "signalreel_adapters.testing.plugin"
IMPORT_MS_MAX: Final = 50


# ---- the fixtures


@pytest.mark.anyio
async def test_clients_call_each_other(clients: Clients, clock: ManualClock, reel: MemoryReel) -> None:
    """The runtime runs on the backend of the test, with the clock and the reel that the test can ask for."""
    ann, bob = await clients.publisher("stream"), await clients.viewer("stream")
    await ann.send(Stop("stream"))
    await bob.expect("play_finished")
    late = clients()
    await late.send(Publish(stream_id="late"))
    await late.expect("start")
    await clock.advance(5 * SECOND)

    await late.expect("publishTimeoutError")
    assert clients.reel is reel
    assert reel.last_seq > 0


def test_an_engine_records(engine: RecordedEngine, reel: MemoryReel) -> None:
    """What is applied stands on the reel of the test."""
    engine.open("ann")
    engine.enter(JoinRoom("room"), session="ann")

    assert (engine.seq, reel.last_seq) == (2, 2)


def test_worlds_are_simulated(simulation: Callable[[int], World]) -> None:
    """Of any seed; several in one test are apart from each other."""
    world, other = simulation(7), simulation(8)
    ann = world.client("ann")
    ann.publish("a")
    world.run_for(SECOND)

    assert ann.publishes("a")
    assert (world.plan.seed, other.plan.seed, other.reel.last_seq) == (7, 8, 0)


def test_a_server_is_there(signalreel_server: ServerThread, reel: MemoryReel) -> None:
    """Pages and clients over a network, on the reel of the test."""
    with urlopen(signalreel_server.url) as page, connect(signalreel_server.websocket()) as client:
        client.send(json.dumps({"command": "publish", "streamId": "a"}))

        assert page.status == 200
        assert json.loads(client.recv(timeout=5))["command"] == "start"
    assert signalreel_server.reel is reel


class TestOverriding:
    """A project says otherwise with a fixture of its own."""

    @pytest.fixture
    def signalreel_settings(self) -> Settings:
        """Other settings than the default."""
        return Settings(viewers_max=3)

    def test_settings_are_those_of_the_project(self, engine: RecordedEngine, reel: MemoryReel) -> None:
        """The reel is made with them, and so is all that stands on it."""
        assert engine.settings == reel.header.settings == Settings(viewers_max=3)


# ---- how it is loaded


def test_it_is_an_entry_point() -> None:
    """What pyproject.toml names can be loaded by pytest, and is this module."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    known = {point.value for point in entry_points(group="pytest11", name=PLUGIN)}

    assert "[project.entry-points.pytest11]\n# Named like its module" in text
    assert f'"{PLUGIN}" = "{PLUGIN}"' in text
    assert known <= {PLUGIN}


def test_it_costs_those_nothing_who_do_not_use_it() -> None:
    """Beside pytest, the plugin loads itself and the faces around it; no engine, no anyio, and in no time."""
    program = (
        "import sys, time, pytest; before = set(sys.modules); start = time.process_time(); import"
        f" {PLUGIN}; print((time.process_time() - start) * 1000, *sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()

    assert float(ran[0]) < IMPORT_MS_MAX
    assert ran[1:] == ["signalreel_adapters", "signalreel_adapters.faces", "signalreel_adapters.testing", PLUGIN]


# ---- a run of pytest

FAILING: Final = """
import pytest

@pytest.mark.anyio
async def test_clients(clients):
    await clients.publisher("stream")
    assert False, "on purpose"

@pytest.mark.parametrize("name", ["a/b c", "x" * 300])
def test_engine(engine, name):
    engine.open("ann")
    assert False, "on purpose"

def test_passing(engine):
    engine.open("ann")

def test_without(request):
    assert False, "on purpose"

def test_worlds(simulation):
    for seed in (7, 8):
        world = simulation(seed)
        world.client("ann").publish("a")
        world.run_for(1_000_000)
        world.violations.append(f"a rule of {seed}")
"""

MARKED: Final = """
import sys

import pytest
from signalreel.identifiers import Kind

@pytest.mark.reel("bug.reel")
def test_engine(engine, reel):
    assert (engine.seq, reel.last_seq) == (2, 2)
    assert str(engine.find(Kind.STREAM, "a", app="live").state) == "preparing"

@pytest.mark.anyio
@pytest.mark.reel("bug.reel")
async def test_clients(clients):
    await clients.publisher("a")

@pytest.mark.reel("missing.reel")
def test_missing(reel):
    pass

@pytest.mark.reel()
def test_unnamed(reel):
    pass

def test_not_anyio(clients):
    pass

@pytest.fixture
def no_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)

def test_server(no_extra, signalreel_server):
    pass
"""


def run_pytest(folder: Path, files: dict[str, str], *options: str) -> str:
    """Run the tests in these files as a user of the plugin would; give what pytest prints."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "anyio.pytest_plugin", "--strict-markers", "-q"]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        [*command, *options, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return ran.stdout


def left(printed: str) -> list[Path]:
    """The reels that reports name."""
    return [Path(found) for found in re.findall(r"^(/.*\.reel) \(\d+ records?\)$", printed, re.MULTILINE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests of a user are, beside a recorded reel on which a stream is being prepared."""
    folder = tmp_path_factory.mktemp("user")
    reel = MemoryReel()
    engine = RecordedEngine(reel)
    engine.open("ann")
    engine.enter(Publish("a"), session="ann")
    leave_reel(reel, "bug", folder)
    return folder


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What a run of all of them prints."""
    return run_pytest(folder, {"test_failing.py": FAILING, "test_marked.py": MARKED})


def test_a_failing_test_leaves_its_reel(printed: str, folder: Path) -> None:
    """Each at a path that its report names, under asyncio and trio; a passing one leaves none. The cache keeps them."""
    paths = left(printed)
    names = sorted(path.name for path in (folder / ".pytest_cache/d/signalreel").iterdir())

    assert "5 failed, 5 passed, 5 errors" in printed
    assert [WholeReel(path).last_seq > 0 for path in paths] == [True] * 6
    assert names == sorted(path.name for path in paths)


def test_a_rule_that_is_broken_in_a_simulation_fails_the_test(printed: str) -> None:
    """The seed is named: with it the world can be had again."""
    assert "with seed 7 the simulation broke a rule:\na rule of 7" in printed


def test_a_mark_says_where_a_test_begins(printed: str, folder: Path) -> None:
    """At the end of a recorded reel, replayed; what is wrong with a mark or with a use is said in a sentence."""
    assert re.search(r"(FAILED|ERROR) .*test_marked.py::test_(engine|clients)\b", printed) is None
    assert f"there is no reel missing.reel: looked for {folder / 'missing.reel'}" in printed
    assert 'the mark `reel` takes one path: @pytest.mark.reel("bug.reel")' in printed
    assert "the fixture `clients` runs on anyio: mark the asynchronous test with @pytest.mark.anyio" in printed


def test_a_missing_extra_is_named(printed: str) -> None:
    """A server without what serves it: the error says what to install."""
    assert "needs uvicorn, which is not installed: pip install 'signalreel[server]'" in printed


def test_a_reel_is_left_without_a_cache_too(tmp_path: Path) -> None:
    """Among the temporary files of the system then."""
    printed = run_pytest(tmp_path, {"test_failing.py": FAILING}, "-p", "no:cacheprovider", "-k", "test_clients")
    paths = left(printed)

    assert [path.is_file() for path in paths] == [True] * 2
    for path in paths:
        path.unlink()
        path.parent.rmdir()
