"""The forwarder in Go: its source is here, and what is told where it cannot be built."""

import re
from pathlib import Path

import pytest

from signalreel_adapters.media.aiortc.measuring.servers.pion import SOURCE, Pion
from signalreel_adapters.media.aiortc.measuring.servers.server import Setting, Unavailable

pytestmark = pytest.mark.anyio


def test_the_program_knows_every_question_that_is_asked() -> None:
    """Both sides of the pipe say the same words; whether it compiles is seen when it is measured."""
    source = SOURCE.read_text(encoding="utf-8")
    known = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"\tcase (.*):", source))))

    assert known == {"hello", "publish", "live", "play", "accept"}


async def test_without_go_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing was started that would have to be stopped."""
    monkeypatch.setenv("PATH", str(tmp_path))
    pion = Pion(Setting("10.99.0.1", None, tmp_path))
    with pytest.raises(Unavailable, match="Debian: golang-go"):
        await pion.start()
    await pion.stop()
