"""`signalreel_adapters.cli.debug.open`."""

import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Final

import pytest

from signalreel_adapters.cli import main
from tests.adapters.viewer.test_page import data_of
from tests.repository import ROOT

REEL: Final = ROOT / "tests" / "reels" / "0.1.0.reel"


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    """A copy of the golden reel."""
    return Path(shutil.copy(REEL, tmp_path / "calls.reel"))


def run(*arguments: str) -> int:
    """Run the command; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["open", *arguments])
    return int(left.value.code or 0)


def test_a_file_is_redacted_unless_it_is_said_otherwise(
    reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names are replaced; with --keep-names those of streams and rooms stay; --as-recorded keeps all but secrets."""
    page = tmp_path / "calls.html"
    texts: dict[str, str] = {}
    for option in ("", "--keep-names", "--as-recorded"):
        assert run(str(reel), "--export", str(page), "--json", *filter(None, [option])) == 0
        said = json.loads(capsys.readouterr().out)
        data = data_of(page.read_text(encoding="utf-8"))
        texts[option] = json.dumps(data)
        assert said == {
            "file": str(page),
            "bytes": page.stat().st_size,
            "records": data["about"]["records"],
            "redacted": option != "--as-recorded",
        }

    assert '"cam"' not in texts[""]
    assert '"cam"' in texts["--keep-names"]
    assert "calls.reel" not in texts["--keep-names"]
    assert '"cam"' in texts["--as-recorded"]
    assert not any(secret in text for text in texts.values() for secret in ("v=0", "candidate:", "192.0.2.1"))


def test_mistakes_are_told(reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no reel, options that do not go together, a place that cannot be written, a port that is taken."""
    (tmp_path / "no.reel").write_text("nothing")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        codes = [
            run(str(tmp_path / "no.reel")),
            run(str(reel), "--keep-names"),
            run(str(reel), "--export", str(tmp_path / "x.html"), "--keep-names", "--as-recorded"),
            run(str(reel), "--export", str(tmp_path)),
            run(str(reel), "--no-browser", "--port", str(port)),
            run(str(reel), "--no-browser", "--port", "65536"),
        ]
    told = capsys.readouterr().err

    assert codes == [2] * 6
    assert "Traceback" not in told
    assert f"port {port}" in told


def test_the_page_is_served_until_it_is_interrupted(reel: Path) -> None:
    """The address is printed at once, answers with the page, and Ctrl-C ends it without a complaint."""
    command = [sys.executable, "-m", "signalreel_adapters.cli", "open", str(reel), "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{said['url']}about", timeout=20) as answer:
            about = json.load(answer)
        process.send_signal(2)
        _, complaints = process.communicate(timeout=20)

    assert about["records"] == said["records"]
    assert process.returncode == 0
    assert complaints == ""
