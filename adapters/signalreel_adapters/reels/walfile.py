"""SQLite's write-ahead file, as far as one must know it to say what a crash has torn off.

SQLite itself takes no frame that is not followed by a whole commit, and says nothing of it. The format is that of
https://www.sqlite.org/fileformat2.html#walformat.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ("torn_bytes",)

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MAGIC: Final = 0x377F0682  #: or one more, where the sums are made of big-endian words
_WORD_MASK: Final = 0xFFFFFFFF
_PAGE_SIZES: Final = frozenset(1 << bits for bits in range(9, 17))


def torn_bytes(path: Path) -> int:
    """Give how many bytes at the end of a reel's write-ahead file belong to no whole commit: what a crash cut off."""
    try:
        with Path(f"{path}-wal").open("rb") as file:
            return _torn(file)
    except OSError:
        return 0


def _torn(file: BinaryIO) -> int:
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return len(head)
    magic, _, page_size, _, salt_1, salt_2, *_ = _HEADER.unpack(head)
    if magic & ~1 != _MAGIC or page_size not in _PAGE_SIZES:
        return 0
    order = ">" if magic & 1 else "<"
    sums = _sum(head[:24], (0, 0), order)
    torn = 0
    while frame := file.read(_FRAME.size + page_size):
        whole = len(frame) == _FRAME.size + page_size
        if len(frame) < _FRAME.size:
            return torn + len(frame)
        _, committed, one, two, *stored = _FRAME.unpack_from(frame)
        if (one, two) != (salt_1, salt_2):
            return torn  # Left over from before the file was begun anew.
        if whole:
            sums = _sum(frame[: _FRAME.size - 16] + frame[_FRAME.size :], sums, order)
        if not whole or list(sums) != stored:
            return torn + len(frame) + len(file.read())
        torn = 0 if committed else torn + len(frame)
    return torn


def _sum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = sums
    for even, odd in struct.iter_unpack(f"{order}2I", data):
        one = (one + even + two) & _WORD_MASK
        two = (two + odd + one) & _WORD_MASK
    return one, two
