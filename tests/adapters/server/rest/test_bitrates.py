"""`signalreel_adapters.server.rest.bitrates`: the last measurement of each player."""

import pytest
from anyio import wait_all_tasks_blocked

from signalreel.events import BitrateMeasured, LicenceChanged
from signalreel.identifiers import Kind
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.runtime import Limits
from signalreel_adapters.server.rest.bitrates import Bitrates
from tests.adapters.calls import play, publish

pytestmark = pytest.mark.anyio


async def test_the_last_one_is_kept_for_as_long_as_its_playback_lives() -> None:
    """A later one takes its place; the end of the playback frees it; one that comes too late is not kept."""
    media = FakeMedia()
    async with Runtime(media=media) as runtime, Bitrates(runtime) as bitrates:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "s")
        await play(viewer, "s")
        [(key, playback)] = runtime.engine.machines(Kind.PLAYBACK)
        for target in (1, 2):
            media.measure(Kind.PLAYBACK, "live", playback.id, target=target, video=30, audio=4)
        await _settled(runtime)
        kept = bitrates.of("live", playback.id, playback.born)
        other_life = bitrates.of("live", playback.id, playback.born + 1)
        measured = kept
        await viewer.send({"command": "stop", "streamId": "s"})
        await _settled(runtime)
        left = len(bitrates)
        assert measured is not None
        runtime.report(measured)
        await _settled(runtime)
        late = len(bitrates)

    assert kept == BitrateMeasured(measured.machine, 2, 30, 4)
    assert key[0] is Kind.PLAYBACK
    assert other_life is None
    assert (left, late) == (0, 0)


async def test_a_gap_in_the_steps_leaves_nothing_behind() -> None:
    """The end of the playback was among what was missed: it is looked for."""
    media = FakeMedia()
    limits = Limits(subscription_steps_max=1)
    async with Runtime(media=media, limits=limits) as runtime, Bitrates(runtime) as bitrates:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "s")
        await play(viewer, "s")
        [(_, playback)] = runtime.engine.machines(Kind.PLAYBACK)
        media.measure(Kind.PLAYBACK, "live", playback.id, target=1, video=1, audio=1)
        await _settled(runtime)
        before = len(bitrates)
        # All at once, so that only the last of these steps is still there when the projection has its turn.
        media.lose(Kind.PLAYBACK, "live", playback.id)
        for suspended in (True, False):
            runtime.report(LicenceChanged(suspended))
        await _settled(runtime)

    assert (before, len(bitrates)) == (1, 0)


async def _settled(runtime: Runtime) -> None:
    await runtime.idle()
    await wait_all_tasks_blocked()
