"""`signalreel_adapters.viewer.serving`."""

from typing import Final

import httpx
import pytest

from signalreel.commands import Publish
from signalreel.reel import MemoryReel
from signalreel_adapters.viewer import create_viewer, static_folder
from signalreel_adapters.viewer.about import PART_RECORDS
from tests.engine.world import World

pytestmark = pytest.mark.anyio

TOKEN: Final = "token-of-the-test"
PORT: Final = 4711
HOME: Final = f"http://127.0.0.1:{PORT}/{TOKEN}/"


def a_call(records: int = 0) -> World:
    """A publisher, and as many records besides as are wanted."""
    world = World()
    world.open("alice")
    world.publish("alice", "cam")
    while len(world.records) < records:
        world.say("alice", Publish("cam"))
    return world


def client_of(reel: MemoryReel) -> httpx.AsyncClient:
    """Somebody who asks a viewer."""
    viewer = create_viewer(reel, "calls.reel", token=TOKEN, port=PORT)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=viewer))


async def test_the_page_and_its_files_are_served_under_a_strict_policy() -> None:
    """Nothing inline, nothing from elsewhere, nobody may frame it or keep it; every module is there."""
    async with client_of(a_call().reel()) as client:
        page = await client.get(HOME)
        files = [await client.get(f"{HOME}static/{path.name}") for path in static_folder().iterdir()]

    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert {file.status_code for file in files} == {200}


async def test_the_reel_comes_in_parts_until_there_is_none_and_records_at_any_time() -> None:
    """Columns come in their order, once more for a second page, and what is told of a record does not disturb them."""
    world = a_call(PART_RECORDS + 10)
    async with client_of(world.reel()) as client:
        first = (await client.get(f"{HOME}parts/0")).json()
        told = (await client.get(f"{HOME}records/0")).json()
        second = (await client.get(f"{HOME}parts/1")).json()
        end = await client.get(f"{HOME}parts/2")
        again = (await client.get(f"{HOME}parts/0")).json()
        about = (await client.get(f"{HOME}about")).json()

    assert about["records"] == PART_RECORDS + 10
    assert (first["first"], len(first["times"])) == (1, PART_RECORDS)
    assert (second["first"], len(second["times"])) == (PART_RECORDS + 1, 10)
    assert end.status_code == 204
    assert again == first
    assert told[1]["input"] == "publish"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (HOME, "evil.example:4711"),
        (HOME, "127.0.0.1:4711.evil.example"),
        (HOME, "127.0.0.1"),
        (HOME, ""),
        (f"http://127.0.0.1:{PORT}/", "127.0.0.1:4711"),
        (f"http://127.0.0.1:{PORT}/guess/", "127.0.0.1:4711"),
        (f"http://127.0.0.1:{PORT}/guess/about", "127.0.0.1:4711"),
        (f"http://127.0.0.1:{PORT}/guéss/records/0", "127.0.0.1:4711"),
        (f"{HOME}records/999", "127.0.0.1:4711"),
        (f"{HOME}static/..%2fserving.py", "127.0.0.1:4711"),
        (f"{HOME}static/nothing.js", "127.0.0.1:4711"),
    ],
)
async def test_whoever_lacks_the_token_or_names_another_host_finds_nothing(url: str, host: str) -> None:
    """A name that was made to resolve to this machine is still another name; no answer says what was wrong."""
    async with client_of(a_call().reel()) as client:
        answer = await client.get(url, headers={"host": host})

    assert answer.status_code == 404
    assert "cam" not in answer.text


async def test_damage_is_told_behind_what_could_be_read() -> None:
    """A record that is none ends the parts with its place, and asking for it answers instead of failing."""
    whole = a_call(30).reel()
    reel = MemoryReel(whole.header)
    for entry in whole.entries():
        reel.append(entry.seq, b"\xc1" if entry.seq == 20 else entry.record)
    async with client_of(reel) as client:
        part = (await client.get(f"{HOME}parts/0")).json()
        damaged = (await client.get(f"{HOME}parts/1")).json()
        records = await client.get(f"{HOME}records/0")

    assert len(part["times"]) == 19
    assert damaged["damaged"].startswith("record 20: ")
    assert records.status_code == 422
    assert records.json()["error"].startswith("record 20: ")
