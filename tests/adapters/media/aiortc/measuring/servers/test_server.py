"""Questions and answers as lines of JSON."""

import os
import sys
from pathlib import Path

import pytest

from signalreel_adapters.media.aiortc.measuring.servers.server import Lines, ServerFailed, Setting
from signalreel_adapters.media.aiortc.settings import LOOPBACK

pytestmark = pytest.mark.anyio

ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "die":
        sys.exit("the reason")
    told = {"id": asked["id"], "sdp": asked.get("sdp", "")}
    if asked["do"] == "fail":
        told["error"] = "not like this"
    print(json.dumps(told), flush=True)
"""


def lines(folder: Path) -> Lines:
    """A program that gives back what it is told, fails or dies."""
    setting = Setting(LOOPBACK, min(os.sched_getaffinity(0)), folder)
    return Lines([sys.executable, "-c", ECHO], setting, name="echo", surroundings=dict(os.environ))


async def test_a_question_has_its_answer(tmp_path: Path) -> None:
    """On its core; a complaint is raised, and the next question is answered all the same."""
    program = lines(tmp_path)
    assert (await program.start())["id"] == 1
    assert os.sched_getaffinity(program.process) == {min(os.sched_getaffinity(0))}
    with pytest.raises(ServerFailed, match="echo: not like this"):
        await program.ask("fail")

    assert (await program.ask("play", sdp="v=0"))["sdp"] == "v=0"
    await program.stop()


async def test_a_program_that_died_is_told_with_its_last_words(tmp_path: Path) -> None:
    """To whoever waits, and to whoever asks later."""
    program = lines(tmp_path)
    await program.start()
    for _ in range(2):
        with pytest.raises(ServerFailed, match="echo ended: the reason"):
            await program.ask("die")
    await program.stop()


async def test_one_that_was_never_started_cannot_be_asked(tmp_path: Path) -> None:
    """Stopping it is harmless."""
    program = lines(tmp_path)
    with pytest.raises(ServerFailed, match="echo ended"):
        await program.ask("play")
    with pytest.raises(ServerFailed, match="was not started"):
        assert program.process
    await program.stop()
