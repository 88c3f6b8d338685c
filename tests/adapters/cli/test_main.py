"""`signalreel_adapters.cli.main`: exit codes, and mistakes told without a traceback."""

from pathlib import Path

import pytest

from signalreel.header import ENGINE_VERSION
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.server import listen
from tests.reels.make import FOLDER


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def test_the_version_is_the_engines(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says which program and which version."""
    assert run(capsys, "--version") == (0, f"signalreel {ENGINE_VERSION}\n", "")


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists what there is."""
    code, out, _ = run(capsys, "--help")

    assert code == 0
    assert all(command in out for command in ("serve", "replay", "bench"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("fly",), "fly"),
        (("serve", "--port", "99999"), "65535"),
        (("serve", "--media", "vlc"), "aiortc"),
        (("serve", "--wings"), "wings"),
        (("replay",), "FILE"),
        (("replay", "nothing.reel"), "does not exist"),
        (("bench", "everything"), "engine"),
        (("serve", "--publish-timeout-ms", "0"), "--publish-timeout-ms 0 is out of range"),
        (("serve", "--viewers-max", "-5"), "--viewers-max -5 is out of range: expected `int` >= -1"),
        (("serve", "--stun-server", "stun.example.org"), "not spelled as stun:host:port"),
        (("serve", "--media-host", "media.example.org"), "--media-host media.example.org is no IP address"),
        (("bench", "--what", "engine"), "--what"),
        (("replay", "calls.reel", "--no-json"), "--no-json"),
        (("serve", "--pages", "nowhere"), "no folder"),
        (("serve", "--host", "nowhere.invalid", "--media", "none"), "cannot listen"),
        (("serve", "--port", "0", "--media", "none", "--reel", "nowhere/calls.reel"), "cannot be opened"),
    ],
)
def test_a_mistake_is_told_and_leaves_with_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """What the user can mend is said in a line or two, on stderr."""
    code, out, err = run(capsys, *arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


def test_a_taken_port_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the port and the way out."""
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        code, _, err = run(capsys, "serve", "--port", str(port), "--media", "none")

    assert code == 2
    assert f"port {port} is taken by another program; choose another with --port" in err


def test_a_reel_that_is_being_written_is_explained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Two servers cannot write one reel; the second is told so, and the socket it had bound is free again."""
    path = tmp_path / "calls.reel"
    reel = SqliteReel(path)
    code, _, err = run(capsys, "serve", "--port", "0", "--media", "none", "--reel", str(path))
    reel.close()

    assert (code, "one reel has one writer" in err) == (2, True)


def test_a_damaged_reel_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Which commands go on with it; but not of a file that is no reel."""
    whole = (FOLDER / "0.1.0.reel").read_bytes()
    for name, data, is_one in (("torn.reel", whole[: len(whole) // 2], True), ("none.reel", b"nothing" * 99, False)):
        (tmp_path / name).write_bytes(data)
        code, _, err = run(capsys, "replay", str(tmp_path / name))
        assert (code, "`signalreel reel verify FILE` names" in err) == (2, is_one)
