"""Where ticks are kept: JSON lines in a folder, one file for each process that tests, each line written at once.

Tests write it while they run, and `make test` begins with an empty folder, so it never tells of code that is gone.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from signalreel.errors import SignalreelError
from signalreel_adapters.conformance.items import ITEMS
from signalreel_adapters.conformance.ticks import Tick

__all__ = ("EVIDENCE_BYTES_MAX", "FOLDER", "Evidence", "EvidenceError", "read_evidence")

FOLDER: Final = ".conformance"
"""Where evidence is kept unless said otherwise, below the folder that a command is run in."""

EVIDENCE_BYTES_MAX: Final = 67_108_864
"""The largest file of evidence that is read. A whole run of the tests leaves some hundred kilobytes."""


class EvidenceError(SignalreelError):
    """A folder of evidence cannot be read. The message says which and why."""


class Evidence:
    """The file of this process in a folder of evidence."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, ticks: Iterable[Tick]) -> None:
        """Add ticks. Each is one write of one line, so that a process that is killed leaves whole lines."""
        lines = [msgspec.json.encode(tick) + b"\n" for tick in ticks]
        if not lines:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / f"{os.getpid()}.jsonl"
        file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            for line in lines:
                os.write(file, line)
        finally:
            os.close(file)


def read_evidence(folder: Path) -> list[Tick]:
    """Read every tick of a folder, in the same order whichever process wrote it. Raises `EvidenceError`."""
    if not folder.is_dir():
        raise EvidenceError(f"{folder} holds no evidence: tests write it, so run them first (`make test`)")
    ticks: list[Tick] = []
    for file in sorted(folder.glob("*.jsonl")):
        try:
            if file.stat().st_size > EVIDENCE_BYTES_MAX:
                raise EvidenceError(f"{file} is larger than {EVIDENCE_BYTES_MAX} bytes")
            ticks += msgspec.json.Decoder(Tick).decode_lines(file.read_bytes())
        except OSError as error:
            raise EvidenceError(f"{file} cannot be read: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EvidenceError(f"{file} holds no evidence: {error}") from error
    strangers = sorted({tick.item for tick in ticks} - ITEMS.keys())
    if strangers:
        raise EvidenceError(f"{folder} tells of items that are unknown: {', '.join(strangers)}")
    order = {item: number for number, item in enumerate(ITEMS)}
    return sorted(ticks, key=lambda tick: (order[tick.item], tick.transport, tick.flow, tick.test))
