"""`signalreel_adapters.cli.conformance`: exit codes, figures, and the page that is written and checked."""

import json
from pathlib import Path

import pytest

from signalreel_adapters.cli import main
from signalreel_adapters.conformance import ITEMS, Evidence, Need, Tick

MEDIA = {"frames_decoded": 31.0}


def conformance(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command in this process; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["conformance", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def evidence_of(folder: Path, *, without: str = "") -> Path:
    """Write evidence of every item, but for one."""
    pong = {"command": "pong"}
    for item in ITEMS.values():
        media = MEDIA if item.need is Need.MEDIA else None
        ticks = [Tick(item=item.id, transport="websocket", test="t", captured=pong, media=media)]
        if item.id == without:
            continue
        Evidence(folder).write([*ticks, Tick(item=item.id, transport="memory", test="t", captured=pong)])
    return folder


def test_all_that_is_shown_leaves_with_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the agreed figures, on stdout alone."""
    code, out, err = conformance(capsys, "--evidence", evidence_of(tmp_path), "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"items": len(ITEMS), "covered": len(ITEMS), "missing": [], "lacks": {}}


def test_a_missing_item_leaves_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is named, with what it lacks."""
    folder = evidence_of(tmp_path, without="MSC-1")
    Evidence(folder).write([Tick(item="MSC-1", transport="memory", test="t", captured={"command": "pong"})])
    code, out, _ = conformance(capsys, "--evidence", folder, "--json")

    assert code == 1
    assert json.loads(out) == {
        "items": len(ITEMS),
        "covered": len(ITEMS) - 1,
        "missing": ["MSC-1"],
        "lacks": {"MSC-1": ["over a WebSocket"]},
    }


def test_people_read_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each item with where and by what it was shown, and the sum."""
    code, out, _ = conformance(capsys, "--evidence", evidence_of(tmp_path, without="MSC-1"))

    assert code == 1
    assert [id for id in ITEMS if id not in out] == []
    assert "not in memory" in out
    assert out.endswith(f"{len(ITEMS) - 1} of {len(ITEMS)} items shown, 1 missing\n")


def test_a_page_is_written_and_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What was written is what is checked for; anything else is shown and leaves with 1."""
    folder, page = evidence_of(tmp_path / "evidence"), tmp_path / "conformance.md"

    assert conformance(capsys, "--evidence", folder, "--write", page)[0] == 0
    told = f"{len(ITEMS)} of {len(ITEMS)} items shown, 0 missing\n"
    assert conformance(capsys, "--evidence", folder, "--check", page) == (0, told, "")

    page.write_text(page.read_text().replace("MSC-1 ", "MSC-0 "))
    code, _, err = conformance(capsys, "--evidence", folder, "--check", page)

    assert code == 1
    assert "-| MSC-0 |" in err
    assert "+| MSC-1 |" in err
    assert err.endswith("tells of something else than the tests have shown: `make conformance`\n")

    page.write_text("")
    assert "lines more" in conformance(capsys, "--evidence", folder, "--check", page)[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--evidence", "nowhere"], "run them first"),
        (["--evidence", "broken"], "holds no evidence"),
        (["--evidence", "evidence", "--check", "nothing.md"], "`--write nothing.md` makes it"),
        (["--evidence", "evidence", "--write", "nowhere/page.md"], "cannot be written"),
        (["--check", "page.md", "--write", "page.md"], "exclude each other"),
    ],
)
def test_a_mistake_is_told_and_leaves_with_2(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    """On stderr, without a traceback."""
    monkeypatch.chdir(tmp_path)
    evidence_of(tmp_path / "evidence")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.jsonl").write_text("{")
    code, _, err = conformance(capsys, *arguments)

    assert code == 2
    assert told in " ".join(err.split())
    assert "Traceback" not in err
