"""`signalreel_adapters.cli.debug.bisect`."""

import json
from pathlib import Path

import pytest

from tests.adapters.cli.debug.localising import in_file, run
from tests.adapters.cli.debug.trees import changed_tree
from tests.engine.zoo import ZOO, planted, recorded

STALE = ZOO[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The reel of a good server."""
    return in_file(recorded(STALE).reel, tmp_path / "a.reel")


def test_a_condition_finds_its_record(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By halves where it is of the state, else by every record; leaves with 1 when there is one, else with 0."""
    code, told = run(capsys, "bisect", file, "--if", "count(session) > 999")
    assert code == 0
    assert "there is no such record" in told
    code, told = run(capsys, "bisect", file, "--if", 'sent("connectWithNewId") or session == "caller"', "--first")
    assert code == 1
    assert "SessionOpened" in told
    code, printed = run(capsys, "bisect", file, "--if", "seq > 3", "--json")
    assert (code, json.loads(printed)["found"]["seq"]) == (1, 4)


def test_an_invariant_finds_its_record(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told with its sentence and what it follows from."""
    with planted(STALE.name):
        code, told = run(capsys, "bisect", file, "--invariant", "newest-answer")
    assert code == 1
    assert f"record {recorded(STALE).seq} at" in told
    assert "An answer is relayed only when" in told
    assert "an answer was relayed while 2 are awaited" in told
    assert run(capsys, "bisect", file, "--invariant", "any")[0] == 0


def test_another_code_is_found_to_differ(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With both sides, and where the states differ afterwards."""
    code, told = run(capsys, "bisect", file, "--against", changed_tree(tmp_path))

    assert code == 1
    assert f"their rule {STALE.rule}" in told
    assert "where the states differ afterwards" in told


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ((), "one of --if EXPRESSION"),
        (("--if", "seq", "--invariant", "any"), "one of --if EXPRESSION"),
        (("--invariant", "no-such"), "there is no invariant 'no-such'; there are any, one-owner"),
        (("--if", "seq == "), "the expression cannot be used"),
        (("--against", "."), "is no source tree"),
    ],
)
def test_a_question_that_cannot_be_put(
    file: Path, question: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaves with 2, and says what is to be said instead."""
    monkeypatch.chdir(file.parent)
    code, told = run(capsys, "bisect", file, *question)

    assert code == 2
    assert why in told
