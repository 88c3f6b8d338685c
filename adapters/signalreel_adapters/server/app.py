"""The application: which path is whose.

    /                   the page
    /static/...         its files
    /transitions        what the machines do, for operators
    /inspect            the inspector, for operators
    /healthz            whether the server can be used
    /{app}/websocket    the clients of the protocol
    /{app}/rest/v2/...  what operators register, look at and end
    /{app}/...          the operator's pages, the same under every app name

The runtime is entered by whoever made it, before or after; the application only uses it.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server.inspector import inspector_routes
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.pages import OperatorsPages, OwnFiles, OwnPage, ViewersFiles
from signalreel_adapters.server.rest import Rest, Services
from signalreel_adapters.server.rest.interface import METHODS
from signalreel_adapters.server.transitions import transitions_of
from signalreel_adapters.transports.websocket import WebSocketApp

__all__ = ("create_app",)

_UNAVAILABLE: Final = 503


def create_app(
    runtime: Runtime,
    *,
    pages: Path | None = None,
    origins: Collection[str] | None = None,
    operators: Operators | None = None,
    rest: Services | None = None,
) -> Starlette:
    """Make the application for a runtime, with an operator's folder of pages or without.

    `origins` are those whose pages may connect (see `WebSocketApp`); None lets all in. Without `operators` only
    programs on the same machine may operate the server. Without `rest` nothing that needs a key can be issued.
    """

    async def health(_: Request) -> JSONResponse:
        """Tell whether new clients are welcome and what they say can be recorded."""
        works = "ok" if runtime.reel_works else "reel unavailable"
        status = "stopping" if runtime.is_stopping else works if runtime.is_ready else "starting"
        body: dict[str, object] = {"status": status, "sessions": len(runtime.engine.sessions())}
        if runtime.is_monitored:
            body["broken_invariants"] = dict(runtime.counters.broken)
        return JSONResponse(body, 200 if status == "ok" else _UNAVAILABLE, headers={"Cache-Control": "no-store"})

    allowed = operators if operators is not None else Operators()
    interface = Rest(rest if rest is not None else Services(runtime), allowed)
    routes: list[BaseRoute] = [
        # Of WebSockets every path is its business: it knows which it refuses, and how.
        WebSocketRoute("/{path:path}", WebSocketApp(runtime, origins=origins)),
        Route("/", OwnPage()),
        Mount("/static/viewer", ViewersFiles()),
        Mount("/static", OwnFiles()),
        *inspector_routes(runtime, allowed),
        Route("/transitions", transitions_of(runtime, allowed)),
        Route("/healthz", health),
        Route("/{app}/rest/v2/{path:path}", interface.answer, methods=METHODS),
    ]
    if pages is not None:
        routes.append(Mount("/{app}", OperatorsPages(pages)))
    return Starlette(routes=routes)
