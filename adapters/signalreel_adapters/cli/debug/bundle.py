"""`signalreel bundle REEL... -o OUT.zip`: one file to attach to a bug report.

It holds the reels, redacted together so that what is equal in two of them stays equal; which versions made and read
them; what replaying them gives; and a page that says so. No name of this machine, of its folders or of a person is in
it. The same reels with the same key make the same bytes.
"""

import os
import platform
import tempfile
import zipfile
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from signalreel.debug.redact import Redactor
from signalreel.engine import STATE_DIGEST_EVERY
from signalreel.header import ENGINE_VERSION
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.debug.selecting import ALL, Output, Sharing
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.layout import SQLITE_VERSION

__all__ = ("PACKAGES", "REELS_MAX", "Bundled", "Replay", "bundle", "replay_of")

REELS_MAX: Final = 50
"""Reels in one bundle."""

PACKAGES: Final = (
    *("msgspec", "anyio", "transitions", "starlette", "uvicorn", "uvloop", "websockets", "cyclopts", "rich"),
    *("joserfc", "aiortc", "aioice", "pylibsrtp", "pyee", "av", "cryptography"),
)
"""The packages whose versions a bundle tells, those that are installed."""

_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""When everything in a bundle was made: the earliest that the format knows, so that equal things are equal bytes."""

_PRIVATE: Final = 0o600


class Replay(msgspec.Struct):
    """What replaying one reel of the bundle gives."""

    file: str
    records: int = 0
    seconds: float = 0.0  #: from the first record to the last
    sessions: int = 0
    transitions: int = 0
    refused: dict[str, int] = {}  #: how often, by definition
    agreed: int = 0
    unconcluded: int = 0
    diverged_at: int | None = None
    diverged_in: str = ""
    recorded_by: str = ""
    differences: int = 0  #: records that do not cause the same as before redaction


class Bundled(msgspec.Struct):
    """What `signalreel bundle --json` prints, and what stands in the bundle as `replay.json`."""

    reels: tuple[Replay, ...]


def bundle(
    *files: Path,
    output: Output,
    sharing: Sharing = ALL,
    json: Switch = False,
) -> int:
    """Pack reels, redacted, with the versions and what replaying them gives, into one file for a bug report.

    Leaves with 0 when it is written, 1 when the redaction of a record changed what it causes, 2 when a file cannot be
    used.

    Parameters
    ----------
    files
        The reels; they may be some that servers are writing.
    output
        The zip file to write, which must not be there yet.
    json
        Print one JSON object: reels, each with what replaying it gives.
    """
    if not files:
        raise Mistake("name the reels to bundle")
    if len(files) > REELS_MAX:
        raise Mistake(f"a bundle has at most {REELS_MAX} reels")
    reels = [sharing.of(open_reel(file))[0] for file in files]
    redactor = Redactor(sharing.key(), reels, keep_names=sharing.keep_names)
    parts: dict[str, bytes] = {}
    replays: list[Replay] = []
    for number, reel in enumerate(reels, 1):
        made = redactor.redacted(reel)
        name = f"{number}.reel"
        parts[name] = _bytes_of(made.reel)
        replays.append(replay_of(made.reel, name, made.differences))
    bundled = Bundled(tuple(replays))
    parts["replay.json"] = msgspec.json.format(msgspec.json.encode(bundled), indent=2) + b"\n"
    parts["versions.json"] = msgspec.json.format(msgspec.json.encode(_versions()), indent=2) + b"\n"
    parts["README.md"] = _page(replays).encode()
    _write(output, parts)
    if json:
        print_json(bundled)
    else:
        print(_page(replays))
        print(f"written to {output}")
    return 1 if any(replay.differences for replay in replays) else 0


def replay_of(reel: Reel, file: str, differences: int = 0) -> Replay:
    """Replay a reel, and say what came of it in figures."""
    told = Replay(file, recorded_by=reel.header.engine_version, differences=differences)
    sessions: set[str] = set()
    refused: Counter[str] = Counter()
    times: list[int] = []
    for replayed in Cursor(reel, state_digest_every=STATE_DIGEST_EVERY):
        step = replayed.step
        times = [*times[:1], step.record.time]
        told.records += 1
        told.transitions += len(step.transitions)
        sessions.add(step.record.session)
        if step.refused:
            refused[step.refused] += 1
        if replayed.recorded is None:
            told.unconcluded += 1
        elif replayed.divergence is None:
            told.agreed += 1
        elif told.diverged_at is None:
            told.diverged_at, told.diverged_in = step.record.seq, replayed.divergence.what
    told.sessions = len(sessions - {""})
    told.refused = dict(sorted(refused.items()))
    told.seconds = (times[-1] - times[0]) / 1_000_000 if times else 0.0
    return told


def _bytes_of(reel: Reel) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_reel(Path(folder) / "one.reel", reel).read_bytes()


def _versions() -> dict[str, str]:
    found = {
        "signalreel": ENGINE_VERSION,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "sqlite": SQLITE_VERSION,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _page(replays: list[Replay]) -> str:
    lines = ["# A bundle of Signalreel", ""]
    lines.append("Reels of calls, without anything that says whose they were. `signalreel replay FILE` tells what")
    lines.append("happened in one, record by record; `signalreel open FILE` shows it.")
    for told in replays:
        lines += ["", f"## {told.file}", ""]
        lines.append(f"- recorded by version {told.recorded_by}, replayed by {ENGINE_VERSION}")
        lines.append(f"- {told.records} records of {told.sessions} sessions in {told.seconds:.3f} s")
        lines.append(f"- {told.transitions} transitions; {told.agreed} outcomes agree with what was recorded")
        lines += [f"- refused with `{definition}`: {count}" for definition, count in told.refused.items()]
        if told.unconcluded:
            lines.append(f"- {told.unconcluded} records have no outcome: the run ended before it was written")
        if told.diverged_at is not None:
            lines.append(f"- **differs first from what was recorded at record {told.diverged_at}: {told.diverged_in}**")
        if told.differences:
            lines.append(f"- {told.differences} records cause something else than before redaction")
    return "\n".join(lines) + "\n"


def _write(output: Path, parts: dict[str, bytes]) -> None:
    """Write the archive whole, for its owner alone to read."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "wb") as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(parts):
                entry = zipfile.ZipInfo(name, _DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = _PRIVATE << 16
                archive.writestr(entry, parts[name])
    except FileExistsError:
        raise Mistake(f"{output} is there already; give another name") from None
    except OSError as error:
        raise Mistake(f"{output} cannot be written: {error.strerror}") from error
