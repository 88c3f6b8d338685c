"""What the commands that share a reel have in common: which calls of it, redacted by which key."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from signalreel.debug.excerpt import SESSION_PREFIX_MIN, NothingFound, excerpt
from signalreel.debug.pseudonyms import KEY_LENGTH_MIN
from signalreel.reel import Reel
from signalreel_adapters.cli.debug.reading import Switch
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("ALL", "KEY_BYTES_MAX", "Output", "Sharing")

KEY_BYTES_MAX: Final = 4_096
"""Bytes of a key file; a longer one is some other file."""

_KEY_BYTES: Final = 32

_Names = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]
"""Given once for each name."""

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
"""The file to write."""


@Parameter(name="*")
@dataclass(frozen=True)
class Sharing:
    """What of a reel is shared. Nothing named: all of it.

    Parameters
    ----------
    stream
        Only the calls about this stream, with whatever belongs to them; may be given several times.
    room
        Likewise, about this room.
    pair
        Likewise, about this peer pair.
    session
        Likewise, of this session; the beginning of its id is enough.
    keep_names
        Keep the names of streams and rooms.
    key_file
        The key for the pseudonyms, so that all that is shared has the same; a fresh one when left out, which is
        forgotten.
    """

    stream: _Names = ()
    room: _Names = ()
    pair: _Names = ()
    session: _Names = ()
    keep_names: Switch = False
    key_file: Path | None = None

    def of(self, reel: Reel) -> tuple[Reel, str]:
        """Give the excerpt that is asked for, and whether more had to be kept; the whole reel when none is."""
        if not (self.stream or self.room or self.pair or self.session):
            return reel, ""
        try:
            made = excerpt(reel, streams=self.stream, rooms=self.room, pairs=self.pair, sessions=self.session)
        except NothingFound as error:
            short = any(len(session) < SESSION_PREFIX_MIN for session in self.session)
            least = f", a session by at least {SESSION_PREFIX_MIN} characters of its id" if short else ""
            raise Mistake(f"{error}{least}; `signalreel reel show FILE` lists what there is") from None
        return made.reel, made.widened

    def key(self) -> bytes:
        """Give the key that stands in the file, or a fresh one that nobody will know."""
        if self.key_file is None:
            return secrets.token_bytes(_KEY_BYTES)
        try:
            with self.key_file.open("rb") as opened:
                key = opened.read(KEY_BYTES_MAX + 1)
        except OSError as error:
            raise Mistake(f"{self.key_file} cannot be read: {error.strerror}") from error
        if not KEY_LENGTH_MIN <= len(key) <= KEY_BYTES_MAX:
            raise Mistake(
                f"{self.key_file} is no key: it has {len(key)} bytes, and a key has {KEY_LENGTH_MIN} to {KEY_BYTES_MAX}"
            )
        return key


ALL: Final = Sharing()
"""The whole reel, with a fresh key."""
