"""`/inspect`: a page for the server's operators that shows what lives, what happens, and why something was refused.

    /inspect                    the page. It holds no data; what it shows it asks of the paths below, with the key
    /inspect/state              what lives now: `{seq, time, isRecorded, totals, rows}`, by kind (see `rows`);
                                304 with `?seen=SEQ` while nothing has happened since
    /inspect/sessions/{id}      one session's records, told: `{session, records, isWhole, source}` (see `recent`);
                                from memory, or with `?from=reel` read from the reel
    /inspect/why/{seq}          why the input of a record was refused: `{sentences: [{seq, told, advice}], told}`
    /inspect/reel?stream=ID     the reel of one call, redacted, as a file; or `?room=`, `?pair=`, `?session=`
                                with `&app=`
    /transitions                the transitions and refusals as they come

For operators only (see `operators`): the key travels in a header, never in an address. What reads the reel runs in a
thread, one at a time, and not at all on a reel that is too long for a page; whoever comes meanwhile is answered 503.
"""

import secrets
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from signalreel.debug.excerpt import NothingFound, excerpt
from signalreel.debug.explain import Sentence, Subject, explain
from signalreel.debug.redact import redact
from signalreel.errors import ReelError
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server.operators import Objection, Operators
from signalreel_adapters.server.pages import OwnPage
from signalreel_adapters.server.recent import Recent, told_from_reel
from signalreel_adapters.server.rows import listed

__all__ = ("READ_RECORDS_MAX", "inspector_routes")

READ_RECORDS_MAX: Final = 200_000
"""Records of a reel that is read for a page. A longer one is for the command line, where it takes its time."""

_OK: Final = 200
_NOT_MODIFIED: Final = 304
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNAVAILABLE: Final = 503
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_SEQ_DIGITS_MAX: Final = 18
_NOT_RECORDED: Final = "Nothing is recorded: this server keeps no reel."
_CALLS: Final = {"stream": "streams", "room": "rooms", "pair": "pairs", "session": "sessions"}


class _Why(msgspec.Struct, frozen=True):
    """Why something was refused."""

    sentences: tuple[Sentence, ...]
    told: str = ""  #: said instead, when nothing can be told


def inspector_routes(runtime: Runtime, operators: Operators) -> list[BaseRoute]:
    """Make the page and what it asks."""
    inspector = _Inspector(runtime, operators)
    return [
        Route("/inspect", OwnPage("inspect.html")),
        Route("/inspect/state", inspector.guarded(inspector.state)),
        Route("/inspect/sessions/{id}", inspector.guarded(inspector.session)),
        Route("/inspect/why/{seq}", inspector.guarded(inspector.why)),
        Route("/inspect/reel", inspector.guarded(inspector.download)),
    ]


class _Inspector:
    def __init__(self, runtime: Runtime, operators: Operators) -> None:
        self._runtime = runtime
        self._operators = operators
        self._recent = Recent(runtime)
        self._reading = False

    def guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Let operators through, and tell everybody else why not."""

        async def guarded(request: Request) -> Response:
            objection = self._operators.objection(request)
            return await answer(request) if objection is None else objection.response()

        return guarded

    async def state(self, request: Request) -> Response:
        """Answer what lives now."""
        engine = self._runtime.engine
        if request.query_params.get("seen") == str(engine.seq):
            return Response(status_code=_NOT_MODIFIED, headers=_HEADERS)
        return _json(listed(engine, is_recorded=self._runtime.is_recorded))

    async def session(self, request: Request) -> Response:
        """Answer what one session said, and what came of it."""
        id = str(request.path_params["id"])
        if request.query_params.get("from") != "reel":
            return _json(self._recent.told(id))
        return await self._read(lambda: _json(told_from_reel(self._runtime.reel, id, records_max=READ_RECORDS_MAX)))

    async def why(self, request: Request) -> Response:
        """Answer why a record's input was refused."""
        digits = str(request.path_params["seq"])
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _SEQ_DIGITS_MAX):
            return _refusal(_BAD_REQUEST, "A record is named by its seq.")
        if not self._runtime.is_recorded:
            return _json(_Why((), _NOT_RECORDED))

        def read() -> Response:
            found = explain(self._runtime.reel, Subject(at=int(digits))).sentences
            return _json(_Why(found, "" if found else "Nothing on the reel says why."))

        return await self._read(read)

    async def download(self, request: Request) -> Response:
        """Answer the reel of one call, with everything in it replaced that says who it was."""
        wanted = {_CALLS[kind]: (id,) for kind, id in request.query_params.items() if kind in _CALLS and id}
        if len(wanted) != 1:
            return _refusal(_BAD_REQUEST, "Name one stream, room, pair or session.")
        app = request.query_params.get("app", "")
        if not self._runtime.is_recorded:
            return _refusal(_CONFLICT, _NOT_RECORDED)

        def read() -> Response:
            try:
                made = excerpt(self._runtime.reel, app=app, **wanted).reel
            except NothingFound:
                return _refusal(_NOT_FOUND, "Nothing on the reel goes by this name.")
            # The key is thrown away: nobody, not even who made it, finds a name by its pseudonym again.
            shared = redact(made, secrets.token_bytes(32))
            with tempfile.TemporaryDirectory(prefix="signalreel-") as folder:
                data = write_reel(Path(folder) / "call.reel", shared).read_bytes()
            headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="call.reel"'}
            return Response(data, _OK, headers, "application/octet-stream")

        return await self._read(read)

    async def _read(self, work: Callable[[], Response]) -> Response:
        """Do what reads the reel in a thread, unless somebody else does, or it is too long."""
        reel = self._runtime.reel
        if not self._runtime.is_recorded:
            return _refusal(_CONFLICT, _NOT_RECORDED)
        if reel.last_seq - reel.first_seq >= READ_RECORDS_MAX:
            return _refusal(_CONFLICT, "The reel is too long to be read for a page; use the commands on its file.")
        if self._reading:
            return _refusal(_UNAVAILABLE, "The reel is being read for somebody else; try again.")
        self._reading = True
        try:
            return await anyio.to_thread.run_sync(work)
        except ReelError as error:
            return _refusal(_CONFLICT, str(error))
        finally:
            self._reading = False


def _json(value: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(value), _OK, _HEADERS, "application/json")


def _refusal(status: int, why: str) -> Response:
    return Objection(status, why).response()
