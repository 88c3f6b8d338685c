"""What is asked of a process that runs seeds, and what it answers."""

import io

import msgspec
import pytest

from signalreel.simulation.swarm import Draw, run_seed
from signalreel_adapters.swarm.child import Asked, answer, read_results

DRAW = Draw(seconds=5, safety_only=True)


def test_each_line_is_answered_by_a_line() -> None:
    """With the results of its seeds, in their order, as they would be here."""
    questions = [Asked((3, 1), DRAW), Asked((2,), DRAW, has_digest=True, is_replayed=True)]
    answers = io.BytesIO()
    answer(io.BytesIO(b"".join(msgspec.json.encode(asked) + b"\n" for asked in questions)), answers)
    first, second = map(read_results, answers.getvalue().splitlines())

    assert first == [run_seed(3, DRAW), run_seed(1, DRAW)]
    assert second == [run_seed(2, DRAW, has_digest=True)]


def test_nobody_hearing_it_ends_it_quietly() -> None:
    """The process that asked is gone: there is nothing to say to anybody."""

    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError

    answer(io.BytesIO(msgspec.json.encode(Asked((1,), DRAW)) + b"\n"), Gone())


def test_what_is_no_answer_is_said_to_be_none() -> None:
    """A process that was killed leaves half a line, or nothing."""
    for line in (b"", b"[{", b'{"seed": 1}'):
        with pytest.raises(ValueError, match=r".+"):
            read_results(line)
