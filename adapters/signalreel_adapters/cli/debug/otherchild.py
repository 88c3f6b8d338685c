"""What runs in the process of another code: it applies the records it is given, and says what each of them gives.

This file is run by its path and imports nothing of the package it lies in: `signalreel` here is the one of the other
tree, of whatever version, so only what every version has is used without asking.

A frame is a length in four bytes and MessagePack. Asked: `{"header": ..., "seam": ..., "first_seq": ...}` for each
reel, then `{"records": [...]}`, answered by one row a record (the fields of `debug.finding.Given`), or `{"state": seq}`
about one of the records of the last two questions, answered by a tree or nil.
"""

import sys
from typing import IO, Any, Final

__all__ = ("FRAME_BYTES_MAX", "main", "read_frame", "write_frame")

FRAME_BYTES_MAX: Final = 268_435_456
"""Largest frame; what claims to be longer is no answer."""

_LENGTH: Final = 4


def read_frame(stream: IO[bytes]) -> bytes:
    """Read a frame; empty at the end. Raises `ValueError` for one that is too long or torn."""
    head = stream.read(_LENGTH)
    if not head:
        return b""
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH or length > FRAME_BYTES_MAX:
        raise ValueError("a frame without a length that could be")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("a frame that ends too early")
    return data


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Write a frame, and see that it leaves."""
    stream.write(len(data).to_bytes(_LENGTH, "big"))
    stream.write(data)
    stream.flush()


def main(tree: str) -> None:
    """Answer until nothing is asked any more."""
    sys.path.insert(0, f"{tree}/engine")
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    questions = sys.stdin.buffer
    import msgspec  # noqa: PLC0415 -- after the path is set

    side: _Side | None = None
    while data := read_frame(questions):
        asked = msgspec.msgpack.decode(data)
        if side is None or "header" in asked:
            side = _Side(asked, tree)
            answer: object = side.version
        elif "records" in asked:
            answer = [side.apply(record) for record in side.begin(asked["records"])]
        else:
            answer = side.state(asked["state"])
        write_frame(answers, msgspec.msgpack.encode(answer))


class _Side:
    """The other code's engine."""

    def __init__(self, asked: dict[str, Any], tree: str) -> None:
        import msgspec  # noqa: PLC0415 -- after the path is set

        import signalreel  # noqa: PLC0415
        from signalreel.messages import encode_message  # noqa: PLC0415
        from signalreel.record import decode_record  # noqa: PLC0415

        if not str(signalreel.__file__).startswith(tree):
            raise ImportError(f"{tree}/engine holds no package signalreel")
        self.version = str(getattr(signalreel, "ENGINE_VERSION", ""))
        self._decode, self._message = decode_record, encode_message
        self._pack = msgspec.msgpack.encode
        self._header = asked
        self._engine = _engine_of(asked)
        self._asked: list[tuple[Any, list[bytes]]] = []

    def begin(self, records: list[bytes]) -> list[bytes]:
        """Note where the records of a question begin, so that the state after each of them can be had again."""
        self._asked = [*self._asked[-1:], (self._engine.snapshot(), records)]
        return records

    def apply(self, data: bytes) -> list[Any]:
        """Apply one record."""
        step = self._engine.apply(self._decode(data))
        deadline = step.deadline
        due = deadline and [deadline.at, f"{deadline.machine.kind} {deadline.machine.app}/{deadline.machine.id}"]
        return [
            step.record.seq,
            [
                [str(m.machine.kind), m.machine.app, m.machine.id, str(m.source), str(m.target)]
                for m in step.transitions
            ],
            self._pack(step.transitions),
            [[session, self._message(message)] for session, message in step.messages],
            due,
            step.refused,
            [[id, [f.kind, f.state, f.input, f.row, f.what]] for id, f in step.fired],
            step.state_digest,
        ]

    def state(self, seq: int) -> object:
        """Tell the state just after a record, where this code knows how to."""
        try:
            from signalreel.debug.state import state_of  # noqa: PLC0415 -- not every version has it
        except ImportError:
            return None
        engine = _engine_of(self._header)
        for start, records in self._asked:
            if start.seq <= seq <= start.seq + len(records):
                engine.restore(start)
                for data in records[: seq - start.seq]:
                    engine.apply(self._decode(data))
                return state_of(engine)
        return None


def _engine_of(asked: dict[str, Any]) -> Any:  # noqa: ANN401 -- the other code's
    """Make the engine in the state before the first record; older versions know neither flags nor seams."""
    import msgspec  # noqa: PLC0415 -- after the path is set

    from signalreel.engine import Engine  # noqa: PLC0415
    from signalreel.settings import Settings  # noqa: PLC0415

    try:
        from signalreel.header import decode_header  # noqa: PLC0415
        from signalreel.reel import MemoryReel  # noqa: PLC0415
        from signalreel.replay import engine_at_start  # noqa: PLC0415
    except ImportError:
        if asked["seam"] is not None:
            raise ValueError("that code is older than reels in segments, and this reel begins at a seam") from None
        header = msgspec.json.decode(asked["header"])
        settings = msgspec.convert(header.get("settings", {}), Settings)
        return Engine(settings, started_at=header.get("started_at", 0))
    return engine_at_start(MemoryReel(decode_header(asked["header"]), seam=asked["seam"], first_seq=asked["first_seq"]))


if __name__ == "__main__":
    main(sys.argv[1])
