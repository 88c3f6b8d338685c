"""An operator with the REST interface of a runtime before it, without a socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
from msgspec import structs

from signalreel.reel import Reel
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.access import Sealing, Tags
from signalreel_adapters.ports import Gate
from signalreel_adapters.server import create_app
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest import Bitrates, Services

__all__ = ("JWT_KEY", "KEY", "NOT_THERE", "OK", "Operator", "operating")

KEY: Final = b"0FtbV3hpCz-eT1Wj_7mYqQ-tags"
JWT_KEY: Final = b"uVb0S8f2kq4Hn1Lr6Xw9Zc3Ej5Ty7Ua8"
OK: Final = {"success": True, "message": "", "dataId": None, "errorId": 0}
NOT_THERE: Final = {"success": False, "message": "not_registered", "dataId": None, "errorId": 0}


class Operator:
    """Asks, and reads the answers."""

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient) -> None:
        self.runtime = runtime
        self.client = client

    async def ask(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Ask something; give the status and the object that came."""
        content = msgspec.json.encode(body) if body is not None else None
        kind = {"content-type": "application/json"} if body is not None else {}
        answer = await self.client.request(method, path, content=content, headers={**kind, **(headers or {})})
        return answer.status_code, answer.json()

    async def get(self, path: str) -> Any:  # noqa: ANN401 - an object or a list of them
        """Ask for something that is there."""
        status, found = await self.ask("GET", path)
        assert status == 200, found
        return found

    def enter(self, app: str = "live") -> MemoryClient:
        """A client of the protocol."""
        return MemoryClient(self.runtime, app=app)


@asynccontextmanager
async def operating(
    reel: Reel | None = None,
    *,
    gate: Gate | None = None,
    operators: Operators | None = None,
    app: str = "live",
    keyed: bool = True,
) -> AsyncIterator[Operator]:
    """Run a runtime, and operate it."""
    async with Runtime(reel, gate=gate, media=FakeMedia()) as runtime, Bitrates(runtime) as bitrates:
        services = (
            Services(
                runtime,
                tags=Tags(KEY),
                sealing=Sealing(KEY),
                jwt_keys={"live": JWT_KEY},
                totp_secrets={"derived": "a shared secret"},
            )
            if keyed
            else Services(runtime)
        )
        services = structs.replace(services, bitrates=bitrates)
        transport = httpx.ASGITransport(create_app(runtime, operators=operators, rest=services))
        base = f"http://localhost:5080/{app}/rest/v2/"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield Operator(runtime, client)
