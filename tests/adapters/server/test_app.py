"""`signalreel_adapters.server.app`: which path is whose."""

from pathlib import Path

import httpx
import pytest

from signalreel_adapters import Runtime
from signalreel_adapters.server import create_app
from signalreel_adapters.testing import FailingReel

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Starlette serves files in threads of asyncio's here, as under uvicorn."""
    return "asyncio"


def browser(runtime: Runtime, pages: Path | None = None) -> httpx.AsyncClient:
    """Something that asks the application, without a socket."""
    transport = httpx.ASGITransport(create_app(runtime, pages=pages))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:5080")


async def test_health_follows_the_reel_and_the_stop() -> None:
    """Healthy is 200; a reel that fails or a server that stops is 503, and says which."""
    reel = FailingReel()
    async with Runtime(reel) as runtime, browser(runtime) as client:
        healthy = await client.get("/healthz")
        reel.fails = True
        runtime.open_session("live", _Nowhere())
        await runtime.idle()
        failing = await client.get("/healthz")
        reel.fails = False
        await runtime.stop(grace_ms=0)
        stopping = await client.get("/healthz")

    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "sessions": 0})
    assert (failing.status_code, failing.json()["status"]) == (503, "reel unavailable")
    assert (stopping.status_code, stopping.json()["status"]) == (503, "stopping")


async def test_pages_are_served_under_every_app(tmp_path: Path) -> None:
    """The operator's folder is the same at every app; the server's own paths win over it."""
    (tmp_path / "index.html").write_text("mine")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "style.css").write_text("mine")
    async with Runtime() as runtime, browser(runtime, tmp_path) as client:
        answers = [(await client.get(path)).text for path in ("/live/", "/WebRTCAppEE/index.html")]
        own = [await client.get(path) for path in ("/", "/static/style.css")]

    assert answers == ["mine", "mine"]
    assert all(answer.status_code == 200 and answer.text != "mine" for answer in own)


async def test_what_is_not_there_is_not_found() -> None:
    """Without a folder of pages there is nothing beneath an app but its WebSocket."""
    async with Runtime() as runtime, browser(runtime) as client:
        paths = ("/live/", "/live/websocket", "/live/x.html", "/static/nothing", "/nothing")
        assert [(await client.get(path)).status_code for path in paths] == [404] * len(paths)


class _Nowhere:
    """A delivery that nobody reads."""

    def send(self, data: bytes) -> None:
        """Drop it."""

    def close(self, code: int, reason: str) -> None:
        """Drop it."""
