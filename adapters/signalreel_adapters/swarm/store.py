"""A folder of seeds that failed: what each broke, its reel, and what is left of it, for people and for the next run.

    store = FailingSeeds(Path("failing-seeds"))
    store.keep(run, draw)
    for failing in store.read():
        print(failing.seed, failing.invariant)

Of a seed there are up to four files, named after it and after what its plan was drawn with, where that is not as usual:
`seed-7.json`, `seed-7.reel`, and once it is shrunk `seed-7-shrunk.reel` and `seed-7-shrunk.svg`. A later failure of the
same seed takes their place.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.export import TooMuch, svg_sequence
from signalreel.errors import SignalreelError
from signalreel.header import ENGINE_VERSION
from signalreel.simulation.plan import FAULTS
from signalreel.simulation.run import Run
from signalreel.simulation.smaller import Small, code_of
from signalreel.simulation.swarm import CLIENTS_MAX, SECONDS_MAX, Draw
from signalreel.verify import Violation
from signalreel_adapters.reels.copying import write_reel

__all__ = ("FILES_MAX", "FILE_BYTES_MAX", "FailingSeed", "FailingSeeds", "StoreUnusable", "command_of")

FILES_MAX: Final = 10_000
"""Most seeds of one folder that are read."""

FILE_BYTES_MAX: Final = 65_536
"""Bytes of what is written about a seed."""

_NAME_SIZE: Final = 4  #: bytes of what tells drawings with other faults apart


class StoreUnusable(SignalreelError):
    """The folder, or a file in it, cannot be used."""


class FailingSeed(Struct, frozen=True, forbid_unknown_fields=True):
    """A seed that failed."""

    seed: int
    draw: Draw
    invariant: str
    seq: int
    subject: str
    told: str
    records: int  #: of its reel; 0 when there is none
    command: str  #: that runs it again
    engine_version: str = ENGINE_VERSION
    shrunk_records: int = 0  #: 0 when it was not shrunk
    plan: str = ""  #: the smaller plan whose run the shrunk reel is, as Python; empty when records were taken out

    @property
    def violation(self) -> Violation:
        """What it broke."""
        return Violation(self.invariant, self.seq, self.subject, self.told)


_decoder: Final = msgspec.json.Decoder(FailingSeed)


class FailingSeeds:
    """The folder. It is made when something is to be kept."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def file(self, seed: int, draw: Draw, end: str) -> Path:
        """Give a file of a seed."""
        parts = [f"seed-{seed}"]
        usual = Draw()
        if draw.clients != usual.clients:
            parts.append(f"{draw.clients}-clients")
        if draw.seconds != usual.seconds:
            parts.append(f"{draw.seconds}-seconds")
        if draw.safety_only:
            parts.append("safety")
        if draw.faults is not None:
            parts.append(blake2b(repr(draw.faults).encode(), digest_size=_NAME_SIZE).hexdigest())
        return self.folder / f"{'-'.join(parts)}{end}"

    def keep(self, seed: int, draw: Draw, violation: Violation, run: Run | None) -> FailingSeed:
        """Keep a failure, with the reel of its run if there is one. Raises `StoreUnusable` when that cannot be."""
        failing = FailingSeed(
            seed,
            draw,
            violation.invariant,
            violation.seq,
            violation.subject,
            violation.told,
            run.inputs if run is not None else 0,
            command_of(seed, draw),
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for end in (".reel", "-shrunk.reel", "-shrunk.svg"):
                self.file(seed, draw, end).unlink(missing_ok=True)
            if run is not None:
                write_reel(self.file(seed, draw, ".reel"), run.reel)
            self._write(failing)
        except (OSError, SignalreelError) as error:
            raise StoreUnusable(f"{self.folder}: nothing can be kept there: {error}") from error
        return failing

    def keep_small(self, failing: FailingSeed, small: Small) -> FailingSeed:
        """Keep what is left of a failure, with its sequence diagram, too. Raises `StoreUnusable` likewise."""
        plan = code_of(small.plan) if small.plan is not None else ""
        failing = replace(failing, shrunk_records=small.records, plan=plan)
        try:
            reel = self.file(failing.seed, failing.draw, "-shrunk.reel")
            reel.unlink(missing_ok=True)
            write_reel(reel, small.reel)
            try:
                picture = svg_sequence(small.reel)
            except TooMuch:
                pass
            else:
                self.file(failing.seed, failing.draw, "-shrunk.svg").write_text(picture, encoding="utf-8")
            self._write(failing)
        except (OSError, SignalreelError) as error:
            raise StoreUnusable(f"{self.folder}: nothing can be kept there: {error}") from error
        return failing

    def files_of(self, failing: FailingSeed) -> dict[str, Path]:
        """Give the files that there are of a seed: `reel`, `shrunk`, `diagram`."""
        ends = {"reel": ".reel", "shrunk": "-shrunk.reel", "diagram": "-shrunk.svg"}
        files = {what: self.file(failing.seed, failing.draw, end) for what, end in ends.items()}
        return {what: file for what, file in files.items() if file.exists()}

    def read(self) -> list[FailingSeed]:
        """Give all that failed, by seed. Raises `StoreUnusable` when there is no folder, or a file in it is none."""
        if not self.folder.is_dir():
            raise StoreUnusable(f"{self.folder}: there is no such folder; a run that fails makes it")
        found: list[FailingSeed] = []
        for file in sorted(self.folder.glob("seed-*.json"))[:FILES_MAX]:
            try:
                data = _read(file)
                failing = _decoder.decode(data)
            except (OSError, ValueError) as error:
                raise StoreUnusable(f"{file}: this is no failed seed: {error}") from error
            draw = failing.draw
            if not (failing.seed >= 0 and 1 <= draw.clients <= CLIENTS_MAX and 1 <= draw.seconds <= SECONDS_MAX):
                raise StoreUnusable(f"{file}: this is no failed seed: no plan is drawn with such numbers")
            if any(name not in FAULTS for name in draw.faults or ()):
                raise StoreUnusable(f"{file}: this is no failed seed: it names a fault that this version does not have")
            found.append(failing)
        return sorted(found, key=lambda failing: (failing.seed, failing.draw.clients, failing.draw.seconds))

    def _write(self, failing: FailingSeed) -> None:
        file = self.file(failing.seed, failing.draw, ".json")
        next = file.with_suffix(".next")
        next.write_bytes(msgspec.json.format(msgspec.json.encode(failing)) + b"\n")
        next.replace(file)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError("it is too long")
    return data


def command_of(seed: int, draw: Draw) -> str:
    """Give the command that runs a seed again."""
    usual = Draw()
    words = ["signalreel simulate", f"--seeds {seed}..{seed}"]
    if draw.clients != usual.clients:
        words.append(f"--clients {draw.clients}")
    if draw.seconds != usual.seconds:
        words.append(f"--seconds {draw.seconds}")
    if draw.safety_only:
        words.append("--safety-only")
    if draw.faults is not None:
        words.append(f'--faults "{",".join(draw.faults) or "none"}"')
    return " ".join(words)
