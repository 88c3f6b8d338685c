"""What the commands that share a reel have in common: which calls of it, redacted by which key."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from signalreel.debug.excerpt import NothingFound, excerpt
from signalreel.debug.pseudonyms import KEY_LENGTH_MIN
from signalreel.reel import Reel
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("KEY_BYTES_MAX", "Names", "Output", "Switch", "key_of", "selected")

KEY_BYTES_MAX: Final = 4_096
"""Bytes of a key file; a longer one is some other file."""

_KEY_BYTES: Final = 32

Names = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]
"""Given once for each name."""

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
"""The file to write."""

Switch = Annotated[bool, Parameter(negative=())]
"""A switch that has no opposite."""


def selected(
    reel: Reel,
    *,
    streams: Sequence[str] = (),
    rooms: Sequence[str] = (),
    pairs: Sequence[str] = (),
    sessions: Sequence[str] = (),
) -> tuple[Reel, str]:
    """Give the excerpt that was asked for, and whether more had to be kept; the whole reel when none was asked for."""
    if not (streams or rooms or pairs or sessions):
        return reel, ""
    try:
        made = excerpt(reel, streams=streams, rooms=rooms, pairs=pairs, sessions=sessions)
    except NothingFound as error:
        raise Mistake(f"{error}; `signalreel replay FILE` lists what there is") from None
    return made.reel, made.widened


def key_of(file: Path | None) -> bytes:
    """Give the key that stands in a file, or a fresh one that nobody will know."""
    if file is None:
        return secrets.token_bytes(_KEY_BYTES)
    try:
        with file.open("rb") as opened:
            key = opened.read(KEY_BYTES_MAX + 1)
    except OSError as error:
        raise Mistake(f"{file} cannot be read: {error.strerror}") from error
    if not KEY_LENGTH_MIN <= len(key) <= KEY_BYTES_MAX:
        raise Mistake(f"{file} is no key: it has {len(key)} bytes, and a key has {KEY_LENGTH_MIN} to {KEY_BYTES_MAX}")
    return key
