"""`signalreel_adapters.cli.check`."""

import json
from pathlib import Path

import pytest

from signalreel.replay import Cursor
from signalreel.verify import Monitor
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from tests.engine.zoo import planted


def run(*arguments: str) -> int:
    """Run the command; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["check", *arguments])
    return int(left.value.code or 0)


def test_a_world_in_which_everything_holds_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With how much there is in it, whether that is everything, and how much of the tables it has reached."""
    code = run("--world", "pair", "--sessions", "2")
    said = capsys.readouterr()

    assert code == 0
    assert said.out.splitlines()[0].startswith("pair ")
    assert said.out.splitlines()[0].endswith("everything")
    assert "pair: " in said.out
    assert said.err == ""


def test_json_is_one_object_with_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Of each world that was asked for, as far as it was asked for."""
    code = run("--machine", "pair", "--states", "200", "--json")
    said = json.loads(capsys.readouterr().out)

    assert code == 0
    assert [world["name"] for world in said["worlds"]] == ["pair", "pair-anyone", "pair-calls"]
    for world in said["worlds"]:
        assert set(world) == {"name", "states", "edges", "depth", "seconds", "violations", "complete", "fired"}
        assert (world["states"], world["complete"], world["violations"]) == (200, False, [])
    assert set(said["machines"]) == {"stream", "playback", "pair", "room"}
    assert said["machines"]["pair"]["contradicted"] == []


def test_what_is_wrong_is_told_drawn_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The shortest reel, record by record and as a sequence diagram; its file replays, and a monitor agrees."""
    file = tmp_path / "wrong.reel"
    with planted("a stale answer is relayed"):
        code = run("--machine", "pair", "--reel", str(file))
        cursor = Cursor(SqliteReel.read(file))
        monitor = Monitor(cursor.engine)
        found = [one for replayed in cursor for one in monitor.observe(cursor.engine, replayed.step)]
    said = capsys.readouterr()

    assert code == 1
    assert said.out.splitlines()[0].endswith("WRONG")
    assert "newest-answer is broken after record 7" in said.out
    assert "sequenceDiagram" in said.out
    assert "v=0" not in said.out
    assert said.err == f"written to {file}\n"
    assert [violation.invariant for violation in found] == ["newest-answer"]


def test_what_is_wrong_stands_in_the_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The worlds after it are not searched."""
    with planted("a lost candidate queue"):
        code = run("--machine", "stream", "--json")
    said = json.loads(capsys.readouterr().out)
    (wrong,) = said["worlds"][-1]["violations"]

    assert code == 1
    assert [world["name"] for world in said["worlds"]] == ["stream"]
    assert (wrong["invariant"], wrong["seq"], wrong["records"]) == ("candidate-handed-on", 3, 3)
    assert wrong["diagram"].startswith("sequenceDiagram")


def test_mistakes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A world or machine that is none, both that do not meet, a bound below one, a file that is there already."""
    there = tmp_path / "there.reel"
    there.write_text("something else")
    with planted("a lost candidate queue"):
        codes = [
            run("--world", "pear"),
            run("--machine", "pear"),
            run("--world", "pair", "--machine", "room"),
            run("--world", "pair", "--states", "0"),
            run("--world", "stream", "--reel", str(there)),
        ]

    assert codes == [2, 2, 2, 2, 2]
    assert "Traceback" not in capsys.readouterr().err
    assert there.read_text() == "something else"
