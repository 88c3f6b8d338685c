"""`signalreel_adapters.cli.debug.verify`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from signalreel.reel import MemoryReel
from signalreel_adapters.reels.copying import write_reel
from tests.adapters.cli.debug.localising import in_file, run
from tests.adapters.cli.debug.trees import changed_tree
from tests.engine.zoo import ZOO, planted, recorded

STALE = ZOO[0]


def test_a_reel_that_agrees_is_said_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Leaves with 0."""
    file = in_file(recorded(STALE).reel, tmp_path / "a.reel")
    code, told = run(capsys, "reel", "verify", file)

    assert code == 0
    assert "today's code makes the same of it" in told


def test_a_reel_that_differs_is_told_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record, both sides, the rule, what changed and the causes, in lines and as JSON; leaves with 1."""
    found = recorded(STALE)
    file = in_file(found.reel, tmp_path / "a.reel")
    with planted(STALE.name):
        code, told = run(capsys, "reel", "verify", file)
        json_code, printed = run(capsys, "reel", "verify", file, "--json")
    assert code == json_code == 1
    for line in (
        f"record {found.seq} at ",
        f"rule       {STALE.rule}",
        "recorded: no transition",
        "only today: pair live/desk: offered -> connected",
        "pair.live/desk.state: 'offered' -> 'connected'",
        "how pair live/desk came there:",
    ):
        assert line in told
    first = json.loads(printed)["verified"]["first"]
    assert (first["seq"], first["rule"]) == (found.seq, STALE.rule)


def test_only_a_digest_that_differs_is_more_than_a_mismatch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What today's code gives is told, and that the other side was not kept."""
    bug = next(bug for bug in ZOO if bug.name == "one's own stream in the room list")
    file = in_file(recorded(bug).reel, tmp_path / "a.reel")
    with planted(bug.name):
        _, told = run(capsys, "reel", "verify", file)

    assert "only a digest was recorded" in told
    assert "to host: roomInformation (room='hall', streams=['guest-cam', 'host-cam']" in told


def test_another_code_shows_its_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reel agrees with today's code, and the other code does not."""
    file = in_file(recorded(STALE).reel, tmp_path / "a.reel")
    code, told = run(capsys, "reel", "verify", file, "--against", changed_tree(tmp_path))

    assert code == 1
    assert f"their rule {STALE.rule}" in told


def test_damage_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose bytes are not as written ends the verification; leaves with 1."""
    file = in_file(recorded(STALE).reel, tmp_path / "a.reel")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE records SET record = (SELECT record FROM records WHERE seq = 6) WHERE seq = 5")
    database.close()
    code, told = run(capsys, "reel", "verify", file)

    assert code == 1
    assert "damaged: " in told
    assert "record 5" in told


def test_every_range_of_a_damaged_reel_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not only the first; in lines and as JSON."""
    file = in_file(recorded(STALE).reel, tmp_path / "a.reel")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM records WHERE seq = 2")
        connection.execute("UPDATE records SET record = x'00' WHERE seq = 5")
    code, told = run(capsys, "reel", "verify", file)
    json_code, printed = run(capsys, "reel", "verify", file, "--json")

    assert code == json_code == 1
    assert "a.reel: record 2: missing" in told
    assert "signalreel reel mend" in told
    assert json.loads(printed)["ranges"] == ["a.reel: record 2: missing", "a.reel: record 5: not as written"]


def test_a_file_that_lacks_its_end_is_looked_at_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite takes nothing of a file that is shorter than it says; what is there is named, and replayed once mended."""
    reel = MemoryReel()
    for seq in range(1, 101):
        reel.append(seq, b"record" + bytes(400))
    file = write_reel(tmp_path / "a.reel", reel)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    code, told = run(capsys, "reel", "verify", file)
    json_code, printed = run(capsys, "reel", "verify", file, "--json")

    assert code == json_code == 1
    assert "to the end: cannot be read" in told
    assert json.loads(printed)["verified"] is None
    file.write_bytes(b"no reel at all, and long enough to be looked at as one" * 20)
    assert run(capsys, "reel", "verify", file)[0] == 2


def test_a_folder_is_no_reel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told in a sentence, also the one that one is in."""
    monkeypatch.chdir(tmp_path)

    for folder in (".", "..", "/"):
        assert run(capsys, "reel", "verify", Path(folder))[0] == 2


def test_a_torn_end_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a crash has cut off is counted before SQLite has cleared it away; it is no damage."""
    file = in_file(recorded(STALE).reel, tmp_path / "a.reel")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE header SET header = header || ' '")
        wal = file.with_name("a.reel-wal").read_bytes()
    file.with_name("a.reel-wal").write_bytes(wal + wal[32:132])
    code, told = run(capsys, "reel", "verify", file)

    assert code == 0
    assert "100 bytes at the end belonged to no whole commit" in told
