"""Values written as Python: what is written makes them again, and no line is longer than it must be."""

from pathlib import Path
from runpy import run_path

from signalreel.commands import PeerMessage, Play, Publish
from signalreel.debug.literals import Code, text_of
from signalreel.events import DeadlineReached
from signalreel.identifiers import Kind, Reference
from signalreel.machines.shapes import StreamState
from signalreel.messages import Notification
from signalreel.record import Record
from signalreel.settings import Settings
from signalreel.step import Step, Transition
from tests.engine.test_engine_random import run


def flat(value: object) -> str:
    """Write a value on one line."""
    return Code().of(value).flat()


def test_what_is_written_makes_the_values_again(tmp_path: Path) -> None:
    """Every record and every message of a run of anything is equal to what its code makes."""
    steps: list[Step] = run(0).steps
    values = [[step.record for step in steps], [step.messages for step in steps], [step.transitions for step in steps]]
    code = Code()
    written = code.line("values = ", code.of(values), indent=0)
    file = tmp_path / "written.py"
    file.write_text(f"{code.imports()}\n\n{written}", encoding="utf-8")
    assert run_path(str(file))["values"] == values


def test_what_is_so_by_default_is_left_out() -> None:
    """Names stand before what is not in the first place; flags always have one."""
    assert flat(Publish("s1")) == 'Publish("s1")'
    assert flat(Play("s1", room="r1")) == 'Play("s1", room="r1")'
    assert flat(Settings(restore_ms=5)) == "Settings(restore_ms=5)"
    assert flat(Record(1, 0, "x", command=Publish("s1"))) == 'Record(1, 0, "x", command=Publish("s1"))'
    assert flat(Notification("joined", stream_id="s1")) == 'Notification("joined", stream_id="s1")'


def test_words_of_the_library_are_written_as_such() -> None:
    """Kinds and states by their names, a tuple of one with its comma, bytes that say nothing by their count."""
    reference = Reference(Kind.STREAM, "live", "s1", 3)
    assert flat(DeadlineReached(reference, 4)) == 'DeadlineReached(Reference(Kind.STREAM, "live", "s1", 3), 4)'
    assert flat(Transition(reference, StreamState.IDLE, StreamState.PREPARING)) == (
        'Transition(Reference(Kind.STREAM, "live", "s1", 3), StreamState.IDLE, StreamState.PREPARING)'
    )
    assert flat((1,)) == "(1,)"
    assert [flat(bytes(16)), flat(b""), flat(b"\1")] == ["bytes(16)", "b''", "b'\\x01'"]
    assert (
        flat(PeerMessage("p", "zoom", {"to": [2.5, None]}))
        == 'PeerMessage("p", definition="zoom", data={"to": [2.5, None]})'
    )


def test_texts_stand_in_double_quotes_unless_they_hold_some() -> None:
    """As formatters have it; what could break a line is written out."""
    assert [text_of(text) for text in ("a", "it's", 'say "a"', "\r\n\x1b")] == [
        '"a"',
        '"it\'s"',
        "'say \"a\"'",
        '"\\r\\n\\x1b"',
    ]


def test_what_is_too_long_has_a_line_for_each_part() -> None:
    """Down to where it fits."""
    record = Record(1, 0, "s" * 30, command=Publish("s1", stream_name="n" * 40))
    lines = Code().line("record = ", Code().of(record), indent=4).splitlines()
    assert lines == [
        "    record = Record(",
        "        1,",
        "        0,",
        '        "' + "s" * 30 + '",',
        '        command=Publish("s1", stream_name="' + "n" * 40 + '"),',
        "    )",
    ]
