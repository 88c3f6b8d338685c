"""`signalreel_adapters.cli.debug.export`."""

import json
from pathlib import Path

import pytest

from signalreel_adapters.cli import main
from tests.adapters.cli.debug.test_replay import recorded

pytestmark = pytest.mark.anyio


def export(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["export", *arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


async def test_every_form_is_redacted_unless_asked_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of JSON, sequences and states; raw lines of JSON say that they hold addresses."""
    path = str((await recorded(tmp_path / "calls.reel")).path)
    capsys.readouterr()
    session = json.loads(export(capsys, path, "--jsonl", "--raw")[1].splitlines()[-1])["session"]
    forms = (
        ["--jsonl"],
        ["--mermaid"],
        ["--svg"],
        ["--mermaid", "--machine", "stream"],
        ["--svg", "--machine", "pair"],
    )
    for form in forms:
        code, out, err = export(capsys, path, *form)
        assert (code, err) == (0, "")
        assert session[:8] not in out

    assert "share it with nobody" in export(capsys, path, "--jsonl", "--raw")[2]
    assert export(capsys, path, "--mermaid", "--keep-names")[1].count(": start s\n") == 1


async def test_one_call_with_the_same_pseudonyms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An excerpt of a stream; with a key file, twice the same."""
    path = str((await recorded(tmp_path / "calls.reel")).path)
    key = tmp_path / "key"
    key.write_bytes(bytes(32))
    capsys.readouterr()
    first = export(capsys, path, "--jsonl", "--stream", "s", "--key-file", str(key))

    assert first[0] == 0
    assert first == export(capsys, path, "--json", "--stream", "s", "--key-file", str(key))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "one of --jsonl"),
        (["--jsonl", "--svg"], "one of --jsonl"),
        (["--jsonl", "--machine", "stream"], "about a picture"),
        (["--jsonl", "--raw", "--keep-names"], "--raw redacts nothing"),
        (["--jsonl", "--stream", "nobody"], "nothing on this reel"),
    ],
)
async def test_what_does_not_go_together_is_said(
    arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and a sentence."""
    path = str((await recorded(tmp_path / "calls.reel")).path)
    capsys.readouterr()
    code, _, err = export(capsys, path, *arguments)

    assert (code, why in err) == (2, True)
