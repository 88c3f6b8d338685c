"""What a crash leaves of a reel, at every place where the disk could have lost its power (`disks` says how)."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from signalreel.errors import ReelError
from signalreel.replay import Cursor
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds, SqliteReel
from signalreel_adapters.reels import Rolling
from signalreel_adapters.reels.buffering import BUFFERED_RECORDS_MAX
from signalreel_adapters.reels.names import closed_segments
from signalreel_adapters.reels.whole import WholeReel
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import publish
from tests.adapters.reels.disks import Remains, Tape, TapedDisk, taped
from tests.adapters.reels.test_sqlite import connection_of

pytestmark = pytest.mark.anyio

SEED: Final = 20_260
CALLS: Final = 9
ROLLING: Final = Rolling(bytes_max=40_000, empty_bytes_min=38_500)
"""Small segments: some are closed in the middle of a call, some when nothing is live."""

GO_ON_EVERY: Final = 100
"""Of how many crashes one is gone on from with a whole runtime."""


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what is under test is the disk."""
    return "asyncio"


async def serve_calls(path: Path, tape: Tape, durability: Any) -> list[bytes]:  # noqa: ANN401 - a literal
    """Publish and leave, some calls at once, and note what clients have heard of; give the records in the end."""
    reel = SqliteReel(path, durability=durability, rolling=ROLLING, disk=TapedDisk(tape))
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(SEED), clock=ManualClock()) as runtime:

        def heard() -> None:
            tape.told(runtime.engine.seq)

        for number in range(CALLS):
            clients = [MemoryClient(runtime) for _ in range(1 + number % 3)]
            for place, client in enumerate(clients):
                await publish(client, f"s{place}")
                heard()
            for client in clients:
                await client.close()
            if number % 4 == 3:
                await runtime.idle()
            heard()
    heard()
    return [entry.record for entry in WholeReel(path).entries()]


def crashes(tape: Tape, chance: random.Random) -> Iterator[tuple[int, int, dict[str, bytes]]]:
    """Play the tape, and lose the power after each operation; give how far it was, what was told, what is left."""
    remains, told = Remains(), 0
    for place, operation in enumerate(tape.operations):
        remains.play(operation)
        if operation.kind == "told":
            told = operation.at
            continue
        if place % 2 or operation.kind != "write":
            yield place, told, remains.some(chance)
        if operation.kind != "write":
            yield place, told, remains.least()
            yield place, told, remains.most()


def put(files: dict[str, bytes], folder: Path) -> None:
    """Write what is left to a folder of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


async def go_on(path: Path) -> None:
    """Start on what is left: every id can be published at once, and all of it replays to what was recorded."""
    reel = SqliteReel(path, rolling=ROLLING)
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(SEED + 1), clock=ManualClock()) as runtime:
        clients = [MemoryClient(runtime) for _ in range(3)]
        for place, client in enumerate(clients):
            await publish(client, f"s{place}")
    assert [replayed.divergence for replayed in Cursor(WholeReel(path)) if replayed.divergence is not None] == []


@pytest.mark.parametrize("durability", ["synced", "buffered"])
async def test_what_was_told_is_there_after_every_crash(tmp_path: Path, durability: str) -> None:
    """Nothing is lost of a synced reel, and of a buffered one at most its last batch; it opens, and goes on.

    The disk is rebuilt after each operation: with what was synced alone, with seeded parts of the rest (sectors of
    writes, names), and with all of it. Each time the reel opens, holds the records from the first on as they were
    written, up to at least what a client had heard of, and takes the next one. Segments are closed on the way.
    """
    chance = random.Random(SEED)
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with taped(before) as tape:
        written = await serve_calls(before / "calls.reel", tape, durability)
    allowed = BUFFERED_RECORDS_MAX if durability == "buffered" else 0
    looked = 0
    assert len(closed_segments(before / "calls.reel")) >= 2

    with taped(after):
        for place, told, files in crashes(tape, chance):
            put(files, after)
            path = after / "calls.reel"
            what = f"seed {SEED}, after operation {place}, {tape.operations[place][:3]}: {sorted(files)}"
            reel = SqliteReel(path)
            last = reel.last_seq
            found = [entry.record for entry in WholeReel(path).entries()]
            assert found == written[: len(found)], what
            assert len(found) == last >= told - allowed, what
            if looked % GO_ON_EVERY:
                reel.append(last + 1, written[0])
                await reel.commit()
                reel.close()
                assert len(list(WholeReel(path).entries())) == last + 1, what
            else:
                reel.close()
                await go_on(path)
            looked += 1
    assert looked > len(tape.operations) // 2


async def test_the_interposed_disk_loses_what_is_not_synced(tmp_path: Path) -> None:
    """The net can catch something: a reel that does not wait for its disk loses what it has told."""
    chance = random.Random(SEED)
    folder = tmp_path / "before"
    folder.mkdir()
    with taped(folder) as tape:
        reel = SqliteReel(folder / "calls.reel", disk=TapedDisk(tape))
        connection_of(reel).execute("PRAGMA synchronous = OFF")
        for seq in range(1, 20):
            reel.append(seq, b"record")
            await reel.commit()
            tape.told(seq)
        reel.close()
    lost = looked = 0
    for _, told, files in crashes(tape, chance):
        if not told:  # Nothing could be lost yet.
            continue
        looked += 1
        put(files, tmp_path / "after")
        try:
            lost += SqliteReel.read(tmp_path / "after" / "calls.reel").last_seq < told
        except ReelError:
            lost += 1

    assert lost > looked // 2 > 0
