"""`signalreel_adapters.server.inspector`: who is answered, and what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from signalreel.replay import Cursor
from signalreel_adapters import FakeMedia, SqliteReel
from tests.adapters.servers import JsonSocket, Served, served

pytestmark = pytest.mark.anyio

CANARY = "canary-of-a-name"
SECRET = "198.51.100.77"
OFFER = f"v=0\r\no=- 1 1 IN IP4 {SECRET}\r\ns=-\r\nt=0 0\r\n"


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn is asyncio's."""
    return "asyncio"


@asynccontextmanager
async def calling(folder: Path | None) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    """Serve a call: a stream that is live, and somebody whose wish for its id was refused."""
    reel = SqliteReel(folder / "calls.reel") if folder is not None else None
    async with served(reel, media=FakeMedia()) as server, server.client() as publisher, server.client() as other:
        await publish(publisher, CANARY)
        await other.send({"command": "publish", "streamId": CANARY})
        await other.expect("streamIdInUse")
        await server.runtime.idle()
        async with httpx.AsyncClient(base_url=server.url("", scheme="http"), timeout=20) as client:
            yield server, client


async def publish(client: JsonSocket, stream_id: str) -> None:
    """Publish until it is live."""
    await client.send({"command": "publish", "streamId": stream_id})
    await client.expect("start")
    await client.send({"command": "takeConfiguration", "streamId": stream_id, "type": "offer", "sdp": OFFER})
    await client.expect("takeConfiguration")
    await client.expect("publish_started")


async def asked(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 -- whatever JSON there is
    """Ask for JSON."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    return answer.json()


async def test_what_lives_is_listed_once_for_each_record(tmp_path: Path) -> None:
    """While nothing happens nothing is sent."""
    async with calling(tmp_path) as (_, client):
        state = await asked(client, "/inspect/state")
        again = await client.get(f"/inspect/state?seen={state['seq']}")

    assert (state["totals"]["stream"], state["totals"]["session"], state["isRecorded"]) == (1, 2, True)
    assert [row["state"] for row in state["rows"]["stream"]] == ["broadcasting"]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("source", ["memory", "reel"])
async def test_a_session_is_told(tmp_path: Path, source: str) -> None:
    """From its beginning, from either source."""
    async with calling(tmp_path) as (_, client):
        state = await asked(client, "/inspect/state")
        session = state["rows"]["stream"][0]["sessions"][0]
        told = await asked(client, f"/inspect/sessions/{session}?from={source}")

    assert (told["source"], told["isWhole"], told["records"][0]["input"]) == (source, True, "SessionOpened")


async def test_a_refusal_is_explained(tmp_path: Path) -> None:
    """With what was in the way; of a record that nothing was refused of, that is said."""
    async with calling(tmp_path) as (server, client):
        refused = server.runtime.reel.last_seq
        why = await asked(client, f"/inspect/why/{refused}")
        nonsense = [(await client.get(f"/inspect/why/{seq}")).status_code for seq in ("x", "-1", "9" * 30)]

    assert "was refused with streamIdInUse" in why["sentences"][0]["told"]
    assert "broadcasting" in why["sentences"][0]["told"]
    assert nonsense == [400, 400, 400]


async def test_the_reel_of_a_call_is_downloaded_redacted(tmp_path: Path) -> None:
    """It replays without a divergence, and no byte of it says which call it was or from where."""
    async with calling(tmp_path) as (_, client):
        answer = await client.get(f"/inspect/reel?stream={CANARY}&app=live")
        nobody = await client.get("/inspect/reel?stream=nobody")
        nothing = await client.get("/inspect/reel")
    downloaded = tmp_path / "downloaded.reel"
    downloaded.write_bytes(answer.content)
    replayed = list(Cursor(SqliteReel.read(downloaded)))

    assert (answer.status_code, nobody.status_code, nothing.status_code) == (200, 404, 400)
    assert all(each.divergence is None for each in replayed)
    assert any(made.target == "broadcasting" for each in replayed for made in each.step.transitions)
    assert CANARY.encode() not in answer.content
    assert SECRET.encode() not in answer.content
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_without_a_reel_that_is_said() -> None:
    """What lives and what happened last is shown; why, and a download, there is not."""
    async with calling(None) as (server, client):
        state = await asked(client, "/inspect/state")
        session = state["rows"]["stream"][0]["sessions"][0]
        told = await asked(client, f"/inspect/sessions/{session}")
        why = await asked(client, f"/inspect/why/{server.runtime.reel.last_seq}")
        others = [
            await client.get(path) for path in (f"/inspect/sessions/{session}?from=reel", "/inspect/reel?stream=s")
        ]

    assert (state["isRecorded"], told["isWhole"], why["sentences"]) == (False, True, [])
    assert why["told"].startswith("Nothing is recorded")
    assert [answer.status_code for answer in others] == [409, 409]


@pytest.mark.parametrize("path", ["state", "sessions/x", "why/1", "reel?stream=s"])
async def test_strangers_are_told_nothing(tmp_path: Path, path: str) -> None:
    """Nobody from another site, another name of the machine, or through a proxy; the page itself holds no data."""
    async with calling(tmp_path) as (_, client):
        strangers: list[dict[str, str]] = [
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"Sec-Fetch-Site": "cross-site"},
        ]
        answers = [await client.get(f"/inspect/{path}", headers=headers) for headers in strangers]
        page = await client.get("/inspect", headers=strangers[0])

    assert {answer.status_code for answer in answers} == {403}
    assert not any(CANARY in answer.text for answer in answers)
    assert (page.status_code, CANARY in page.text) == (200, False)
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_page_s_files_are_served_under_its_policy(tmp_path: Path) -> None:
    """Its own, and those of the viewer that it uses."""
    async with calling(tmp_path) as (_, client):
        for path in ("inspect.js", "inspect.css", "viewer/sequence.js", "viewer/dom.js", "viewer/viewer.css"):
            answer = await client.get(f"/static/{path}")
            assert (answer.status_code, "content-security-policy" in answer.headers) == (200, True), path
