"""A server with access control, as somebody who embeds it writes one: `python -m tests.e2e.guarded PORT REEL PAGES`.

Publishing takes a web token, playing takes nothing, and who lost its connection has a while to come back.
"""

import sys
from pathlib import Path
from typing import Final

import anyio

from signalreel.settings import Settings
from signalreel_adapters import Runtime, SqliteReel
from signalreel_adapters.access import ByPurpose, OpenGate, Tags
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.cli.logs import configure_logs
from signalreel_adapters.media.aiortc import AiortcMedia, AiortcSettings
from signalreel_adapters.server import listen
from signalreel_adapters.server.run import listening
from tests.e2e.server import HOST

__all__ = ("RESTORE_MILLISECONDS", "TOKEN_KEY", "main")

TOKEN_KEY: Final = "a key of tests, which signs the tokens of publishers"
TAG_KEY: Final = "a key of tests, under which tags are made"

RESTORE_MILLISECONDS: Final = 30_000
"""Long enough for a page on a busy machine; the SDK needs a second."""


async def main(port: int, reel: Path, pages: Path) -> None:
    """Serve until a signal."""
    tags = Tags(TAG_KEY)
    gate = ByPurpose(publish=JwtGate(TOKEN_KEY, tags=tags), play=OpenGate(tags=tags))
    settings = Settings(restore_ms=RESTORE_MILLISECONDS)
    with listen(HOST, port) as bound:
        media = AiortcMedia(AiortcSettings.for_bind(HOST, AiortcSettings()))
        runtime = Runtime(SqliteReel(reel, settings=settings), settings=settings, gate=gate, media=media)
        async with listening(runtime, bound, pages=pages), runtime:
            await anyio.sleep_forever()


if __name__ == "__main__":
    configure_logs("console")
    anyio.run(main, int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
