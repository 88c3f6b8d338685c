"""Janus from Debian's package: its video room, one publisher and many subscribers, spoken to through a Unix socket.

`event_loops = 1` is its best setting on one core: by default Janus has a thread for each viewer, and they spend more
time on waiting for each other than on packets. ICE-lite, as this server is.
"""

import asyncio
import secrets
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from signalreel_adapters.media.aiortc.measuring.servers.server import (
    ANSWER_TIMEOUT,
    ServerFailed,
    Setting,
    Unavailable,
)
from signalreel_adapters.media.aiortc.measuring.usage import on_core, package_version

__all__ = ("Janus", "configuration")

_PACKAGE: Final = "janus"
_ROOM: Final = 1234
_PUBLISHER: Final = 77
_MESSAGE_MAX: Final = 1 << 16
_STARTS_MAX: Final = 8
"""How often it is started. The thread of its socket ends at once when it runs before the thread that made it goes on
(about one start in ten), and without a way to be spoken to Janus ends too."""

_START_TIMEOUT: Final = 10.0
_START_PAUSE: Final = 0.05
_END_TIMEOUT: Final = 5.0
_UNUSED_PLUGINS: Final = (
    "audiobridge",
    "duktape",
    "echotest",
    "lua",
    "nosip",
    "recordplay",
    "sip",
    "streaming",
    "textroom",
    "videocall",
    "voicemail",
)
_UNUSED_TRANSPORTS: Final = ("http", "mqtt", "nanomsg", "rabbitmq", "websockets")


def configuration(host: str, event_loops: int, path: Path) -> dict[str, str]:
    """Give the text of every file of its configuration, by name. `path` is that of its socket; 0 loops are none."""
    loops = f"\tevent_loops = {event_loops}\n" if event_loops else ""
    plugins = ",".join(f"libjanus_{name}.so" for name in _UNUSED_PLUGINS)
    transports = ",".join(f"libjanus_{name}.so" for name in _UNUSED_TRANSPORTS)
    return {
        "janus.jcfg": (
            f"general: {{\n\tdebug_level = 3\n\tsession_timeout = 0\n{loops}}}\n"
            "media: {\n\tipv6 = false\n}\n"
            f'nat: {{\n\tice_lite = true\n\tfull_trickle = false\n\tice_enforce_list = "{host}"\n}}\n'
            f'plugins: {{\n\tdisable = "{plugins}"\n}}\n'
            f'transports: {{\n\tdisable = "{transports}"\n}}\n'
        ),
        "janus.transport.pfunix.jcfg": (
            f'general: {{\n\tenabled = true\n\tjson = "compact"\n\tpath = "{path}"\n\ttype = "SOCK_SEQPACKET"\n}}\n'
            "admin: {\n\tadmin_enabled = false\n}\n"
        ),
        "janus.plugin.videoroom.jcfg": (
            f"room-{_ROOM}: {{\n"
            '\tdescription = "load"\n\tpublishers = 2\n\tbitrate = 0\n\tfir_freq = 0\n'
            '\taudiocodec = "opus"\n\tvideocodec = "vp8"\n\trecord = false\n}\n'
        ),
    }


class Janus:
    """Starts it and speaks to it: one session, with a handle for each peer."""

    transcodes = False

    def __init__(self, setting: Setting, *, event_loops: int) -> None:
        self.name = "janus" if event_loops else "janus_default"
        self.version = ""
        self.setting = f"videoroom, ICE-lite, event_loops = {event_loops}" if event_loops else "videoroom, ICE-lite"
        self._place = setting
        self._event_loops = event_loops
        self._folder = setting.folder / self.name
        self._started: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._session = 0
        self._handles: dict[str, int] = {}

    @property
    def process(self) -> int:
        """The id of its process."""
        if self._started is None:
            raise ServerFailed("janus was not started")
        return self._started.pid

    async def start(self) -> None:
        """Write its configuration, start it and open a session."""
        program = shutil.which("janus")
        if program is None:
            raise Unavailable("needs Janus (Debian: janus)")
        self.version = await package_version(_PACKAGE)
        self._folder.mkdir()
        path = self._folder / "api"
        for name, text in configuration(self._place.host, self._event_loops, path).items():
            (self._folder / name).write_text(text, encoding="utf-8")
        for _ in range(_STARTS_MAX):
            await self._run(program)
            if await self._open(path):
                return
        raise Unavailable("Janus did not start")

    async def _run(self, program: str) -> None:
        with on_core(self._place.core), (self._folder / "log").open("wb") as log:
            self._started = await asyncio.create_subprocess_exec(
                program,
                "-F",
                str(self._folder),
                "-C",
                str(self._folder / "janus.jcfg"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _open(self, path: Path) -> bool:
        """Connect to its socket and open a session; false when it has ended instead."""
        started = self._started
        opened = self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        opened.setblocking(False)
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while started is not None and started.returncode is None:
                    with suppress(OSError):
                        opened.connect(str(path))
                        break
                    await asyncio.sleep(_START_PAUSE)
            self._hearing = asyncio.create_task(self._hear(opened))
            self._session = (await self._ask({"janus": "create"}))["data"]["id"]
        except TimeoutError:
            raise Unavailable("Janus did not open its socket") from None
        except ServerFailed:
            await self.stop()
            return False
        return True

    async def _hear(self, opened: socket.socket) -> None:
        """Settle what is waited for. An `ack` only says that the answer comes later, under the same name."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while data := await loop.sock_recv(opened, _MESSAGE_MAX):
                message: dict[str, Any] = msgspec.json.decode(data)
                future = self._waiting.get(message.get("transaction", ""))
                if future is not None and not future.done() and message["janus"] != "ack":
                    future.set_result(message)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ServerFailed(f"{self.name} ended"))

    async def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        opened = self._socket
        if opened is None or self._started is None or self._started.returncode is not None:
            raise ServerFailed(f"{self.name} ended")
        name = secrets.token_hex(8)
        loop = asyncio.get_running_loop()
        future = self._waiting[name] = loop.create_future()
        request = {**body, "transaction": name, **({"session_id": self._session} if self._session else {})}
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                await loop.sock_sendall(opened, msgspec.json.encode(request))
                answer: dict[str, Any] = await future
        except (TimeoutError, OSError) as error:
            raise ServerFailed(f"{self.name} did not answer") from error
        finally:
            del self._waiting[name]
        complaint = answer.get("error") or answer.get("plugindata", {}).get("data", {}).get("error")
        if complaint:
            raise ServerFailed(f"{self.name}: {complaint}")
        return answer

    async def _attach(self) -> int:
        answer = await self._ask({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        return int(answer["data"]["id"])

    async def _say(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        message: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        return await self._ask(message | ({"jsep": jsep} if jsep is not None else {}))

    async def publish(self, offer: str) -> str:
        """Join the room as its publisher."""
        handle = await self._attach()
        await self._say(handle, {"request": "join", "ptype": "publisher", "room": _ROOM, "id": _PUBLISHER})
        answer = await self._say(handle, {"request": "publish"}, {"type": "offer", "sdp": offer})
        return str(answer["jsep"]["sdp"])

    async def live(self) -> None:
        """Nothing to wait for: its streams are there once the publisher is answered."""

    async def play(self) -> tuple[str, str]:
        """Join the room as a subscriber."""
        handle = await self._attach()
        body = {"request": "join", "ptype": "subscriber", "room": _ROOM, "streams": [{"feed": _PUBLISHER}]}
        answer = await self._say(handle, body)
        viewer = str(handle)
        self._handles[viewer] = handle
        return viewer, str(answer["jsep"]["sdp"])

    async def accept(self, viewer: str, answer: str) -> None:
        """Start a subscription with the viewer's answer."""
        await self._say(self._handles[viewer], {"request": "start"}, {"type": "answer", "sdp": answer})

    async def stop(self) -> None:
        """End it."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        if self._started is None or self._started.returncode is not None:
            return
        self._started.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT):
                await self._started.wait()
        if self._started.returncode is None:
            self._started.kill()
            await self._started.wait()
