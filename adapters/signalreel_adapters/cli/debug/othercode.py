"""Another code, in a process of its own: the source tree of another version applies the records of a reel.

Nothing of that tree is loaded here. A child of the same Python, isolated from the environment, puts the tree's `engine`
folder first on its path, takes records over a pipe and gives back what each of them gives. What it answers is bounded
and decoded as data, and it is stopped when it answers nothing. It is given the reel as it is, descriptions and
addresses included, so it is to be code that one trusts with a reel.
"""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import msgspec

from signalreel.debug.finding import Given
from signalreel.debug.telling import printable
from signalreel.header import encode_header
from signalreel.reel import Reel
from signalreel_adapters.cli.debug import otherchild
from signalreel_adapters.cli.debug.otherchild import read_frame, write_frame
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("ANSWER_S", "OtherCodeProcess", "is_code")

ANSWER_S: Final = 60.0
"""Seconds that an answer may take; then the process is stopped."""

_RECORDS: Final = 256
"""Records in a question."""

_BYTES: Final = 8_388_608
"""Bytes of records in a question, beyond which it is closed."""

_SAID_MAX: Final = 300
"""Characters of what the other code said last that are told."""

_rows: Final = msgspec.msgpack.Decoder(list[Given])


def is_code(path: Path) -> bool:
    """Whether a folder is the source tree of some version."""
    return (path / "engine" / "signalreel" / "engine.py").is_file()


class OtherCodeProcess:
    """The code of a folder, as something that applies records. Used as a context, it ends with it."""

    def __init__(self, folder: Path, *, answer_s: float = ANSWER_S) -> None:
        if not is_code(folder):
            raise Mistake(f"{folder} is no source tree of Signalreel: it holds no engine/signalreel/engine.py")
        self._folder = folder.resolve()
        self._answer_s = answer_s
        self._child: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the context that this is
        self._is_late = False
        self._waiting: list[Given] | None = None
        self._is_asked = False

    @property
    def name(self) -> str:
        """The folder's name."""
        return str(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
        self._said.close()

    def close(self) -> None:
        """End the process, if it runs."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    # ---- as `debug.bisect.OtherCode`

    def steps(self, reel: Reel) -> Iterator[Given]:
        """Apply the records of a reel; while some are compared here, the next are applied there."""
        self._start(reel)
        questions = _questions(reel)
        self._ask(next(questions, None))
        while self._is_asked or self._waiting is not None:
            given = self._given()
            self._ask(next(questions, None))
            yield from given

    def state(self, seq: int) -> dict[str, Any] | None:
        """Ask for the state just after one of the records given last."""
        if self._child is None:
            return None
        if self._is_asked:
            self._waiting = self._given()
        tree = msgspec.msgpack.decode(self._answer_to(msgspec.msgpack.encode({"state": seq})))
        return cast(dict[str, Any] | None, tree)

    def _start(self, reel: Reel) -> None:
        if self._child is None or self._is_asked or self._waiting is not None:
            self._launch()
        header = {"header": encode_header(reel.header), "seam": reel.seam, "first_seq": reel.first_seq}
        self._answer_to(msgspec.msgpack.encode(header))

    def _launch(self) -> None:
        """Start the process; one that was asked something and not heard out is replaced."""
        self.close()
        self._waiting, self._is_asked = None, False
        self._child = subprocess.Popen(  # noqa: S603 -- running the code of that folder is what is asked for
            [sys.executable, "-I", str(otherchild.__file__), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=self._folder,
            env={},
        )

    def _ask(self, records: list[bytes] | None) -> None:
        if records is not None and self._waiting is None:
            self._send(msgspec.msgpack.encode({"records": records}))
            self._is_asked = True

    def _given(self) -> list[Given]:
        if self._waiting is not None:
            given, self._waiting = self._waiting, None
            return given
        self._is_asked = False
        try:
            return _rows.decode(self._receive())
        except msgspec.DecodeError as error:
            raise Mistake(f"the code in {self._folder} answers what cannot be read: {error}") from None

    def _answer_to(self, question: bytes) -> bytes:
        self._send(question)
        return self._receive()

    def _send(self, question: bytes) -> None:
        child = self._child
        if child is None or child.stdin is None:
            raise self._failed()
        try:
            write_frame(child.stdin, question)
        except OSError:
            raise self._failed() from None

    def _receive(self) -> bytes:
        child = self._child
        if child is None or child.stdout is None:
            raise self._failed()
        watchdog = threading.Timer(self._answer_s, self._stop, [child])
        watchdog.start()
        try:
            answer = read_frame(child.stdout)
        except ValueError:
            raise self._failed() from None
        finally:
            watchdog.cancel()
        if not answer:
            raise self._failed()
        return answer

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        self._is_late = True
        child.kill()

    def _failed(self) -> Mistake:
        """Say why there is no answer, with what the other code said last."""
        self.close()
        if self._is_late:
            return Mistake(f"the code in {self._folder} did not answer for {self._answer_s:g} s")
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return Mistake(f"the code in {self._folder} cannot apply this reel: {printable(last[:_SAID_MAX])}")


def _questions(reel: Reel) -> Iterator[list[bytes]]:
    """Group the records of a reel, by their number and their size."""
    records: list[bytes] = []
    size = 0
    for entry in reel.entries(reel.first_seq):
        records.append(entry.record)
        size += len(entry.record)
        if len(records) == _RECORDS or size >= _BYTES:
            yield records
            records, size = [], 0
    if records:
        yield records
