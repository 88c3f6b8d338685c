"""`signalreel flow`: perform transcripts of calls, on a server or in memory, and write them from real calls."""

import logging
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import anyio
import cyclopts
import msgspec
import structlog
from cyclopts import Parameter
from cyclopts.validators import Number

from signalreel_adapters.cli.mistakes import MissingExtra, Mistake
from signalreel_adapters.flows import (
    Flow,
    FlowFailed,
    FlowSyntaxError,
    Stage,
    memory_stage,
    needs_of,
    parse_flow,
    perform,
)
from signalreel_adapters.flows.har import HAR_BYTES_MAX, HarError, flow_from_har
from signalreel_adapters.flows.parser import FLOW_BYTES_MAX
from signalreel_adapters.flows.performer import PATIENCE_S
from signalreel_adapters.flows.script import FAKE_MEDIA, SEVERAL_APPS
from signalreel_adapters.flows.signaling import without_media

__all__ = ("Failure", "InPart", "LeftOut", "Results", "flow", "import_har", "run")

flow: Final = cyclopts.App(name="flow", help="Perform transcripts of calls, or write them from real ones.")

_PATIENCE_S_MAX: Final = 3_600


class Failure(msgspec.Struct):
    """A flow that did not hold, and where."""

    file: str
    line: int
    flow: str
    why: str
    expected: str
    found: str


class InPart(msgspec.Struct):
    """A flow that held up to the line at which media would have to flow."""

    file: str
    line: int


class LeftOut(msgspec.Struct):
    """A flow that was not performed, because of what the server would need to offer."""

    file: str
    needs: tuple[str, ...]


class Results(msgspec.Struct):
    """What `signalreel flow run --json` prints."""

    flows: int = 0  #: performed
    passed: int = 0  #: to the end
    in_part: list[InPart] = []
    failed: list[Failure] = []
    left_out: list[LeftOut] = []


@flow.command
def run(
    *files: Path,
    url: str | None = None,
    json: bool = False,
    timeout: Annotated[float, Parameter(validator=Number(gt=0, lte=_PATIENCE_S_MAX))] = PATIENCE_S,
    fake_media: bool = False,
) -> int:
    """Perform flows and see whether the server says what they say. Without --url, in memory.

    A server with real media shows its messages up to the line at which somebody would have to send pictures or sound.
    Leaves with 0 when all hold, 1 when one does not, 2 when a file or the address cannot be used.

    Parameters
    ----------
    files
        Flows, or folders of them.
    url
        A running server, as ws://localhost:5080; with a path, as ws://localhost:5080/live/websocket, all use that one.
    json
        Print one JSON object with the keys flows, passed, in_part, failed and left_out.
    timeout
        Seconds that an expected message may take.
    fake_media
        The server at --url has fake media, so that flows of publishing and playing can be performed to their end.
    """
    flows = [_read(path) for path in _found(files)]
    offered = {SEVERAL_APPS} if url is None or urlsplit(url).path in {"", "/"} else set[str]()
    if url is None or fake_media:
        offered.add(FAKE_MEDIA)
    results = Results()
    with _quiet_logs():
        anyio.run(_run_all, flows, url, frozenset(offered), timeout, results)
    if json:
        print(msgspec.json.encode(results).decode())
    else:
        for line in _report(results):
            print(line)
    return 1 if results.failed else 0


@flow.command(name="import")
def import_har(file: Path, /, *, output: Annotated[Path | None, Parameter(alias="-o")] = None) -> int:
    """Write a flow from an archive (HAR) of a call that Chrome's network panel saved.

    Descriptions, candidates and ids that the server drew become gaps; secrets are emptied.

    Parameters
    ----------
    file
        The archive.
    output
        The flow to write; it must not exist. Without it, it is printed.
    """
    try:
        text = flow_from_har(_contents(file, HAR_BYTES_MAX), title=f"Recorded in {file.name}")
    except HarError as error:
        raise Mistake(f"{file}: {error}") from error
    if output is None:
        print(text, end="")
        return 0
    try:
        with output.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError as error:
        raise Mistake(f"{output} exists already; choose another name with --output") from error
    except OSError as error:
        raise Mistake(f"{output} cannot be written: {error.strerror}") from error
    return 0


def _report(results: Results) -> Iterator[str]:
    """Say what held, and of how many flows this server can show what: by what the others need, and where they run."""
    in_part = f"{len(results.in_part)} passed in part, " if results.in_part else ""
    yield f"{results.flows} flows, {results.passed} passed, {in_part}{len(results.failed)} failed"
    if results.in_part:
        yield "In part: up to where media would have to flow. If the server has fake media, add --fake-media"
    if results.left_out:
        yield f"{results.flows} of {results.flows + len(results.left_out)} could be performed here; the others need:"
        for needs, count in Counter(left.needs for left in results.left_out).most_common():
            yield f"  {count:>3}  {' and '.join(needs)}"
    if results.in_part or results.left_out:
        yield "Without --url all of them run, each on a server in this process."


async def _run_all(
    flows: Sequence[Flow], url: str | None, offered: frozenset[str], patience_s: float, results: Results
) -> None:
    for number, one in enumerate(flows, start=1):
        place = f"[{number}/{len(flows)}] {one.file}"
        missing = tuple(need for need in needs_of(one) if url is not None and need not in offered)
        part = without_media(one) if missing == (FAKE_MEDIA,) else None if missing else (one, 0)
        if part is None:
            results.left_out.append(LeftOut(one.file, missing))
            _tell(f"{place}: left out, it needs {' and '.join(missing)}")
            continue
        results.flows += 1
        performed, until = part
        try:
            async with _stage(performed, url) as stage:
                await perform(performed, stage, patience_s=patience_s)
        except FlowFailed as failed:
            results.failed.append(Failure(one.file, failed.line, one.title, failed.why, failed.expected, failed.found))
            _tell(f"{place}: FAILED, {one.title}\n{failed}")
            continue
        if until:
            results.in_part.append(InPart(one.file, until))
            _tell(f"{place}: passed up to line {until}, where media would have to flow, {one.title}")
        else:
            results.passed += 1
            _tell(f"{place}: passed, {one.title}")


@asynccontextmanager
async def _stage(one: Flow, url: str | None) -> AsyncGenerator[Stage]:
    if url is None:
        async with memory_stage(one) as stage:
            yield stage
        return
    try:
        from signalreel_adapters.flows.websocket import WebSocketStage, address_of  # noqa: PLC0415 - an extra has it
    except ImportError as error:
        raise MissingExtra("--url", "server") from error
    try:
        address_of(url, one.app)
    except ValueError as error:
        raise Mistake(str(error)) from error
    yield WebSocketStage(url)


def _found(paths: Sequence[Path]) -> list[Path]:
    """Give the flows that were named, those of a folder in the order of their names."""
    if not paths:
        raise Mistake("name the flows to perform, or a folder of them")
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.flow")) if path.is_dir() else [path]
        if not inside:
            raise Mistake(f"the folder {path} holds no .flow files")
        found += inside
    return found


def _read(path: Path) -> Flow:
    try:
        text = _contents(path, FLOW_BYTES_MAX).decode()
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is no text in UTF-8") from error
    try:
        return parse_flow(text, file=str(path), app=path.stem)
    except FlowSyntaxError as error:
        raise Mistake(str(error)) from error


def _contents(path: Path, bytes_max: int) -> bytes:
    try:
        if path.stat().st_size > bytes_max:
            raise Mistake(f"{path} is larger than {bytes_max} bytes, which no such file needs to be")
        return path.read_bytes()
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}") from error


@contextmanager
def _quiet_logs() -> Generator[None]:
    """Keep the runtimes in this process from telling every transition; what matters of them is told as progress."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr)
