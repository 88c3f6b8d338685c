"""The viewer served to a browser on this machine, and to nobody else.

The address holds a token that nobody can guess, and the request must name this machine: a page from elsewhere can have
its own name resolve to the loopback interface, but then it says that name. Everything else is not found.

The reel is read as the page asks for it: part by part, so that the first records are there at once.
"""

import hmac
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from signalreel.debug.scan import Scan
from signalreel.errors import ReelError
from signalreel.reel import Reel
from signalreel_adapters.viewer.about import CHUNK_RECORDS, PART_RECORDS, about_of
from signalreel_adapters.viewer.page import static_folder

__all__ = ("CONTENT_SECURITY_POLICY", "create_viewer", "serve_viewer")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NOT_FOUND: Final = 404
_NOTHING_MORE: Final = 204
_UNREADABLE: Final = 422
_TYPES: Final = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}

_encode: Final = msgspec.json.Encoder().encode


class _Parts:
    """The parts of a reel, read when they are asked for and kept for the next page that asks."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._encoded: list[bytes] = []
        self._end: bytes | None = None

    def get(self, number: int) -> bytes | None:
        """Give a part; None behind the last. What cannot be read is told in its place."""
        while len(self._encoded) <= number and self._end is None:
            try:
                part = self._scan.advance(PART_RECORDS)
            except ReelError as error:
                self._end = _encode({"damaged": str(error)})
                break
            if part is None:
                self._end = b""
            else:
                self._encoded.append(_encode(part))
        return self._encoded[number] if number < len(self._encoded) else self._end or None


def create_viewer(reel: Reel, name: str, *, token: str, port: int, redacted: bool = False) -> Starlette:
    """Make the application that shows a reel under `http://127.0.0.1:PORT/TOKEN/`."""
    scan = Scan(reel)
    about = about_of(reel, name, redacted=redacted)
    parts = _Parts(scan)
    folder = static_folder()
    own_files = {path.name: path for path in folder.iterdir()}
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def page(_: Request) -> Response:
        return Response((folder / "index.html").read_bytes(), media_type="text/html", headers=_HEADERS)

    async def file(request: Request) -> Response:
        path = own_files.get(request.path_params["name"])
        if path is None:
            return _not_found()
        return Response(path.read_bytes(), media_type=_TYPES.get(path.suffix), headers=_HEADERS)

    async def what(_: Request) -> Response:
        return _json(_encode(about))

    async def part(request: Request) -> Response:
        encoded = parts.get(request.path_params["number"])
        return _json(encoded) if encoded is not None else Response(status_code=_NOTHING_MORE, headers=_HEADERS)

    async def records(request: Request) -> Response:
        number = request.path_params["number"]
        if number * CHUNK_RECORDS >= about.records:
            return _not_found()
        try:
            return _json(_encode(scan.window(about.first + number * CHUNK_RECORDS, CHUNK_RECORDS)))
        except ReelError as error:
            return _json(_encode({"error": str(error)}), _UNREADABLE)

    def guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer_to_the_owner(request: Request) -> Response:
            shown = request.path_params["token"].encode()
            if request.headers.get("host", "") not in hosts or not hmac.compare_digest(shown, token.encode()):
                return _not_found()
            return await answer(request)

        return answer_to_the_owner

    routes: list[BaseRoute] = [
        Route("/{token}/", guarded(page)),
        Route("/{token}/static/{name}", guarded(file)),
        Route("/{token}/about", guarded(what)),
        Route("/{token}/parts/{number:int}", guarded(part)),
        Route("/{token}/records/{number:int}", guarded(records)),
    ]
    return Starlette(routes=routes)


def serve_viewer(viewer: Starlette, bound: socket.socket) -> None:
    """Serve on a bound socket until the process is interrupted."""
    config = uvicorn.Config(viewer, lifespan="off", log_config=None, access_log=False, server_header=False, ws="none")
    uvicorn.Server(config).run(sockets=[bound])


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json", headers=_HEADERS)


def _not_found() -> Response:
    return Response("not found", _NOT_FOUND, media_type="text/plain", headers=_HEADERS)
