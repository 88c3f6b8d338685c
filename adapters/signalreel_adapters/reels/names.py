"""The names of a reel's files.

Beside `calls.reel`, which is written, stand the segments that are closed: `calls.000001.reel`, `calls.000002.reel` and
so on; `calls.reel-next` is the one that is being made.
"""

import re
from pathlib import Path
from typing import Final

__all__ = ("closed_name", "closed_segments", "next_name", "written_name")

_DIGITS: Final = 6


def closed_name(path: Path, number: int) -> Path:
    """Give the name of the closed segment of this number."""
    return path.with_name(f"{path.stem}.{number:0{_DIGITS}}{path.suffix}")


def written_name(path: Path) -> Path | None:
    """Give the name of the reel that a file would be a closed segment of; None when it is not named like one."""
    match = re.fullmatch(rf"(.+)\.[0-9]{{{_DIGITS},}}", path.stem)
    return path.with_name(match[1] + path.suffix) if match is not None else None


def next_name(path: Path) -> Path:
    """Give the name under which the next segment is made."""
    return path.with_name(path.name + "-next")


def closed_segments(path: Path) -> list[tuple[int, Path]]:
    """Give the closed segments that there are, by their numbers, oldest first."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.([0-9]{{{_DIGITS},}}){re.escape(path.suffix)}")
    found = [
        (int(match[1]), file) for file in path.parent.iterdir() if (match := pattern.fullmatch(file.name)) is not None
    ]
    return sorted(found)
