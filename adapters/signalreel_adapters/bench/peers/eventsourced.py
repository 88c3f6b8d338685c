"""`eventsourcing` (PyPI) with its SQLite store, on the same records.

One aggregate for each session or machine that records concern; each record is one event of its aggregate and carries
the record's whole content as text, because the library's own codec is JSON. It is written as its documentation shows:
`Application.save`, here with all aggregates of many records at once, which is one transaction. It is replayed by
`repository.get` for every aggregate, without its cache. It keeps no order between aggregates, no digest and no outcome.
"""

import os
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from msgspec.structs import replace

from signalreel.record import Record
from signalreel_adapters.bench.source import BATCH, Peer, cpu_of, median, rate

__all__ = ("RECORDS_MAX", "Call", "Recording", "Replay")

RECORDS_MAX: Final = 5_000
"""It is slower by so much that more would only take longer."""

_SETTING: Final = "SQLite store in a file, an event a record, {} records a transaction"


class Call(Aggregate):
    """One session or machine, and what happened to it."""

    @event("Begun")
    def __init__(self) -> None:
        self.records = 0
        self.time = 0

    @event("Recorded")
    def take(self, at: int, content: str) -> None:
        """Apply a record."""
        self.records += 1
        self.time = at


def _inputs(records: list[Record]) -> list[tuple[str, int, str]]:
    """Whom each record concerns, when, and all it holds."""
    found: list[tuple[str, int, str]] = []
    for record in records[:RECORDS_MAX]:
        machine = getattr(record.event, "machine", None)
        owner = record.session or (f"{machine.kind}/{machine.id}" if machine is not None else "")
        found.append((owner, record.time, msgspec.json.encode(record).decode()))
    return found


def _open(path: Path) -> Application[UUID]:
    return Application(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": os.fspath(path)})


def _write(application: Application[UUID], inputs: list[tuple[str, int, str]], batch: int) -> list[UUID]:
    """Record everything; give the ids of the aggregates."""
    calls: dict[str, Call] = {}
    for start in range(0, len(inputs), batch):
        touched: dict[str, Call] = {}
        for owner, at, content in inputs[start : start + batch]:
            call = calls.get(owner)
            if call is None:
                call = calls[owner] = Call()
            call.take(at=at, content=content)
            touched[owner] = call
        application.save(*touched.values())
    return [call.id for call in calls.values()]


class Replay:
    """Reads every aggregate back."""

    def __init__(self, path: Path, records: list[Record]) -> None:
        inputs = _inputs(records)
        self._records = len(inputs)
        self._application = _open(path)
        self._ids = _write(self._application, inputs, BATCH)
        self._taken: list[float] = []

    def run(self) -> None:
        """Take a turn."""
        self._taken.append(cpu_of(self._read))

    def _read(self) -> None:
        get = self._application.repository.get
        found = sum(cast(Call, get(id)).records for id in self._ids)
        if found != self._records:
            raise AssertionError(f"eventsourcing gave {found} of {self._records} records back")

    def figures(self) -> Peer:
        """Give what was measured."""
        return _figures(self._records, self._taken, BATCH)


class Recording:
    """Writes every record to a store of its own each time: by the clock, because a commit waits for the disk."""

    def __init__(self, folder: Path, records: list[Record], batch: int) -> None:
        self._folder = folder
        self._batch = batch
        self._cpu: list[float] = []
        self._inputs = _inputs(records)
        self._taken: list[float] = []

    def run(self) -> None:
        """Take a turn."""
        application = _open(self._folder / f"eventsourcing-{len(self._taken)}.db")
        try:
            began = time.perf_counter()
            self._cpu.append(cpu_of(lambda: _write(application, self._inputs, self._batch)))
            self._taken.append(time.perf_counter() - began)
        finally:
            application.close()

    def figures(self) -> Peer:
        """Give what was measured."""
        figures = _figures(len(self._inputs), self._taken, self._batch)
        return replace(figures, cpu_us_per_record=round(median(self._cpu) / max(len(self._inputs), 1) * 1e6, 3))


def _figures(records: int, taken: list[float], batch: int) -> Peer:
    return Peer(
        records_per_s=rate(records, taken),
        records=records,
        version=version("eventsourcing"),
        setting=_SETTING.format(batch),
    )
