"""`signalreel_adapters.cli.debug.redact`."""

import json
from pathlib import Path

import pytest

from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.reels.copying import write_reel
from tests.engine.debug.canaries import canaries_in, planted_reel
from tests.engine.debug.dumped import recorded


def redact(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["redact", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def test_no_canary_is_in_any_byte_of_any_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Planted in every text of every input and of the header: neither the file nor one beside it holds any."""
    source = write_reel(tmp_path / "raw.reel", planted_reel())
    folder = tmp_path / "shared"
    folder.mkdir()
    code, out, err = redact(capsys, source, "-o", folder / "shared.reel")

    assert canaries_in(source.read_bytes())
    assert (code, err) == (0, "")
    assert "each of them causes the same" in out
    assert [name for name in folder.iterdir() if canaries_in(name.read_bytes())] == []
    assert canaries_in(out.encode()) == []


def test_one_call_can_be_shared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The excerpt of a stream, redacted: it replays, in fewer records than there were, for its owner alone to read."""
    source = write_reel(tmp_path / "raw.reel", recorded())
    output = tmp_path / "cut.reel"
    code, out, _ = redact(capsys, source, "-o", output, "--stream", "cut", "--keep-names", "--json")
    told = json.loads(out)
    reel = SqliteReel.read(output)

    assert (code, told["records"], told["differences"], told["widened"]) == (0, reel.last_seq, 0, "")
    assert reel.last_seq < told["of"]
    assert [one.divergence for one in Cursor(reel) if one.divergence is not None] == []
    assert b"cut" in output.read_bytes()
    assert output.stat().st_mode & 0o777 == 0o600


def test_a_key_file_gives_the_same_pseudonyms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte by byte; without one, no two are alike."""
    source = write_reel(tmp_path / "raw.reel", recorded())
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    for name, extra in (("a", ("--key-file", key)), ("b", ("--key-file", key)), ("c", ())):
        assert redact(capsys, source, "-o", tmp_path / name, *extra)[0] == 0
    a, b, c = [(tmp_path / name).read_bytes() for name in "abc"]

    assert a == b != c


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there, a reel that is none, a name that is nobody's: exit code 2 and a sentence."""
    source = write_reel(tmp_path / "raw.reel", recorded())
    for arguments, why in (
        ((source, "-o", source), "already"),
        ((tmp_path / "none", "-o", tmp_path / "x"), "does not exist"),
        ((source, "-o", tmp_path / "x", "--room", "nowhere"), "nothing on this reel"),
    ):
        code, out, err = redact(capsys, *arguments)
        assert (code, out, why in err) == (2, "", True), err
