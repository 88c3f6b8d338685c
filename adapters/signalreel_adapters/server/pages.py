"""The pages: the server's own, under a strict policy, and an operator's folder, served as it is."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ("CONTENT_SECURITY_POLICY", "OperatorsPages", "OwnFiles", "OwnPage", "ViewersFiles", "static_folder")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self' ws: wss:; "  # The page may call another server: it is a client like any other.
    "media-src 'self' blob: mediastream:; "
    "worker-src 'self'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)
"""For the server's own pages: nothing inline, nothing from elsewhere, nobody may frame them."""

_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
_POLICY: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    _NO_SNIFFING,
)


def static_folder() -> Path:
    """Where the server's own page is, inside the package."""
    return Path(str(files("signalreel_adapters.server") / "static"))


def _with_headers(app: ASGIApp, headers: tuple[tuple[bytes, bytes], ...]) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        await app(scope, receive, send_with_headers)

    return wrapped


class OwnFiles:
    """The files that the server's own page refers to, with the strict policy."""

    def __init__(self) -> None:
        self._app = _with_headers(StaticFiles(directory=static_folder()), _POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file of the page."""
        await self._app(scope, receive, send)


class ViewersFiles:
    """The files of the reel viewer, of which the inspector uses some, with the strict policy."""

    def __init__(self) -> None:
        folder = Path(str(files("signalreel_adapters.viewer") / "static"))
        self._app = _with_headers(StaticFiles(directory=folder), _POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file of the viewer."""
        await self._app(scope, receive, send)


class OwnPage:
    """One of the server's own pages, with the strict policy."""

    def __init__(self, name: str = "index.html") -> None:
        own = StaticFiles(directory=static_folder())

        async def page(scope: Scope, receive: Receive, send: Send) -> None:
            response = await own.get_response(name, scope)
            await response(scope, receive, send)

        self._app = _with_headers(page, _POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        await self._app(scope, receive, send)


class _Visible(StaticFiles):
    """Files, without those whose name begins with a dot: `.git` and `.env` are in many a folder, and for nobody."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, unless it or a folder on the way is hidden."""
        if any(part.startswith(".") for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)


class OperatorsPages:
    """A folder of the operator's, the same under every app name, so that a page finds `websocket` beside it.

    Paths that lead out of the folder are not found, links in it are not followed out of it, and nothing is served whose
    name begins with a dot. No policy is set: these
    pages are the operator's, and most sample pages hold inline scripts.
    """

    def __init__(self, folder: Path) -> None:
        self._app = _with_headers(_Visible(directory=folder, html=True), (_NO_SNIFFING,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file of the folder; of a folder in it, its `index.html`."""
        await self._app(scope, receive, send)
