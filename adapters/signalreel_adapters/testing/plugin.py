"""The pytest plugin: an engine, clients, a server, each with the reel of the test, which a failing test leaves behind.

    @pytest.mark.anyio
    async def test_the_viewer_is_told(clients, clock):
        ann, bob = await clients.publisher("stream"), await clients.viewer("stream")
        await ann.send(Stop("stream"))
        await bob.expect("play_finished")

    @pytest.mark.reel("bug.reel")
    def test_nobody_is_left(engine):
        assert list(engine.machines()) == []

It is loaded by every run of pytest where the project is installed. So nothing is imported here but pytest itself; what
a fixture needs is imported by the fixture, when a test asks for it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from signalreel.reel import MemoryReel
    from signalreel.settings import Settings
    from signalreel.simulation import Plan, World
    from signalreel_adapters.ports import Gate, Media
    from signalreel_adapters.testing.clients import Clients
    from signalreel_adapters.testing.clock import ManualClock
    from signalreel_adapters.testing.engines import RecordedEngine
    from signalreel_adapters.testing.servers import ServerThread

__all__ = (
    "clients",
    "clock",
    "engine",
    "pytest_configure",
    "pytest_runtest_makereport",
    "reel",
    "running_clients",
    "signalreel_gate",
    "signalreel_media",
    "signalreel_server",
    "signalreel_settings",
    "signalreel_testserver",
    "simulation",
)

_MARKER: Final = "reel(path): begin with this recorded reel; relative to the folder of the test, or to the root"

_NAME_MAX: Final = 120
"""Characters of the file name of a reel that is left; names of parametrised tests know no end."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


# ---- what a project may say otherwise, with a fixture of the same name in its own conftest


@pytest.fixture
def signalreel_settings() -> Settings:
    """Give the settings of engines, runtimes and servers: those that nobody has changed."""
    from signalreel.settings import Settings  # noqa: PLC0415 - see above

    return Settings()


@pytest.fixture
def signalreel_media() -> Media:
    """Give the media of `clients` and `signalreel_server`: one that answers at once, and moves nothing."""
    from signalreel_adapters.media.fake import FakeMedia  # noqa: PLC0415 - see above

    return FakeMedia()


@pytest.fixture
def signalreel_gate() -> Gate | None:
    """Give the gate of `clients` and `signalreel_server`: none, everybody may do everything."""
    return None


# ---- what tests use


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands still until the test says `await clock.advance(5 * SECOND)`."""
    from signalreel_adapters.testing.clock import ManualClock  # noqa: PLC0415 - see above

    return ManualClock()


@pytest.fixture
def reel(request: pytest.FixtureRequest, signalreel_settings: Settings) -> MemoryReel:
    """Give the reel of the test, in memory: empty, or that of the mark. What is recorded in the test is recorded there.

    When the test fails it is left as a file, whose path is in the report.
    """
    from signalreel.header import Header  # noqa: PLC0415 - see above
    from signalreel.reel import MemoryReel  # noqa: PLC0415 - see above

    path = _marked(request.node)
    if path is None:
        made = MemoryReel(Header(signalreel_settings))
    else:
        from signalreel_adapters.testing.leaving import load_reel  # noqa: PLC0415 - see above

        made = load_reel(path)
    request.node.stash.setdefault(_KEPT, []).append(lambda: made)
    return made


@pytest.fixture
def engine(reel: MemoryReel) -> RecordedEngine:
    """Give an engine that records on `reel`; in the state after the reel of the mark, where there is one."""
    from signalreel_adapters.testing.engines import RecordedEngine  # noqa: PLC0415 - see above

    return RecordedEngine(reel)


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Clients:
    """Give clients in memory of a runtime that runs while the test does, on the backend of anyio's plugin.

    For tests that anyio runs (`@pytest.mark.anyio`). Under another plugin, or none, say
    `async with Clients(reel, clock=clock) as clients:` in the test.
    """
    if "anyio_backend" not in request.fixturenames:
        pytest.fail(
            "the fixture `clients` runs on anyio: mark the asynchronous test with @pytest.mark.anyio, or say"
            " `async with signalreel_adapters.testing.Clients() as clients:` in it",
            pytrace=False,
        )
    running: Clients = request.getfixturevalue("running_clients")
    return running


@pytest.fixture
async def running_clients(
    reel: MemoryReel, clock: ManualClock, signalreel_media: Media, signalreel_gate: Gate | None
) -> AsyncIterator[Clients]:
    """Run the runtime behind `clients`, which is the one to ask for."""
    from signalreel_adapters.testing.clients import Clients  # noqa: PLC0415 - see above

    async with Clients(reel, clock=clock, media=signalreel_media, gate=signalreel_gate) as running:
        yield running


@pytest.fixture
def simulation(request: pytest.FixtureRequest) -> Iterator[Callable[[Plan | int], World]]:
    """Give what makes worlds of a seed or a plan: whole deployments in virtual time.

    `world = simulation(7)`; without a seed it is that of 0.
    A rule that did not hold in one of them fails the test, whatever else it looked at.
    """
    from signalreel.simulation import World  # noqa: PLC0415 - see above

    worlds: list[World] = []

    def make(plan: Plan | int = 0) -> World:
        world = World(plan)
        worlds.append(world)
        request.node.stash.setdefault(_KEPT, []).append(lambda: world.reel)
        return world

    yield make
    for world in worlds:
        if world.violations:
            told = "\n".join(str(violation) for violation in world.violations)
            pytest.fail(f"with seed {world.plan.seed} the simulation broke a rule:\n{told}", pytrace=False)


@pytest.fixture
def signalreel_server(
    reel: MemoryReel, signalreel_media: Media, signalreel_gate: Gate | None
) -> Iterator[ServerThread]:
    """Run a real server on a port that the system chose, in a thread of its own, with the system's clock."""
    thread = _servers("signalreel_server")
    with thread(reel, media=signalreel_media, gate=signalreel_gate) as running:
        yield running


@pytest.fixture
def signalreel_testserver(
    reel: MemoryReel, signalreel_media: Media, signalreel_gate: Gate | None
) -> Iterator[ServerThread]:
    """Run such a server that does wrong what its clients ask for by the ids that they name, as `mock:no_pong`."""
    thread = _servers("signalreel_testserver")
    from signalreel_adapters.testserver import MockingRuntime  # noqa: PLC0415 - see above

    with thread(reel, media=signalreel_media, gate=signalreel_gate, make_runtime=MockingRuntime) as running:
        yield running


def _servers(fixture: str) -> type[ServerThread]:
    """Load what it takes to serve, or fail with what to install."""
    try:
        from signalreel_adapters.testing.servers import ServerThread  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0].startswith("signalreel"):
            raise
        pytest.fail(
            f"the fixture `{fixture}` needs {error.name}, which is not installed: pip install 'signalreel[server]'",
            pytrace=False,
        )
    return ServerThread


# ---- the reel of a mark, and the reel of a failure

_NONE: Final[list[Callable[[], MemoryReel]]] = []
_KEPT: Final = pytest.StashKey["list[Callable[[], MemoryReel]]"]()


def _marked(item: pytest.Item) -> Path | None:
    """Find the file of the mark, if the test has one."""
    mark = item.get_closest_marker("reel")
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs:
        pytest.fail('the mark `reel` takes one path: @pytest.mark.reel("bug.reel")', pytrace=False)
    places = [folder / str(mark.args[0]) for folder in (item.path.parent, item.config.rootpath)]
    for place in places:
        if place.is_file():
            return place
    pytest.fail(f"there is no reel {mark.args[0]}: looked for {' and '.join(map(str, places))}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave the reel of a test that failed, or of each of its worlds, and say where it is."""
    report = yield
    if report.failed and report.when != "setup":
        reels = item.stash.get(_KEPT, _NONE)
        for number, kept in enumerate(reels):
            with suppress(OSError):
                report.sections.append(("reel of the test", _leave(item, kept(), f"-{number}" if number else "")))
    return report


def _leave(item: pytest.Item, kept: MemoryReel, which: str) -> str:
    from signalreel_adapters.testing.leaving import leave_reel  # noqa: PLC0415 - see above

    cache: pytest.Cache | None = getattr(item.config, "cache", None)
    name = re.sub(r"[^\w.-]+", "-", item.nodeid)[-_NAME_MAX:].strip("-") + which
    return leave_reel(kept, name, cache.mkdir("signalreel") if cache is not None else None)
