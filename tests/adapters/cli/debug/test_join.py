"""`signalreel_adapters.cli.debug.join`."""

import json
from pathlib import Path

import pytest

from signalreel_adapters.cli import main
from tests.adapters.cli.debug.test_replay import recorded
from tests.engine.debug.dumped import INTERNALS

pytestmark = pytest.mark.anyio


def join(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["join", *arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


async def test_a_dump_of_other_calls_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is guessed, for people and as JSON."""
    path = str((await recorded(tmp_path / "calls.reel")).path)
    capsys.readouterr()
    code, out, _ = join(capsys, path, str(INTERNALS))
    told = json.loads(join(capsys, path, str(INTERNALS), "--json")[1])

    assert (code, out.count("no record of this reel is about it")) == (0, 2)
    assert [one["session"] for one in told["connections"]] == ["", ""]
    assert told["disagreements"] == 0


async def test_a_file_that_is_no_dump_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence that names the file, and nothing of what stands in it."""
    path = (await recorded(tmp_path / "calls.reel")).path
    capsys.readouterr()
    for dump, why in ((path, "this is no dump"), (tmp_path / "none", "cannot be read")):
        code, out, err = join(capsys, str(path), str(dump))
        assert (code, out, why in err) == (2, "", True)
