"""The other end of the lines."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from signalreel_adapters.media.aiortc.measuring.servers.answering import answer_lines, run_as_served

pytestmark = pytest.mark.anyio


async def greet(asked: dict[str, str]) -> dict[str, str]:
    """Give back a name."""
    return {"sdp": asked["sdp"]}


async def nothing(asked: dict[str, str]) -> None:
    """Have nothing to say."""


async def test_every_question_is_answered() -> None:
    """Also one that fails, and one that nobody knows."""
    asking, questions = os.pipe()
    told, answers = os.pipe()
    asked = [{"do": "greet", "sdp": "a"}, {"do": "nothing"}, {"do": "greet"}, {"do": "what"}]
    with os.fdopen(asking) as reading, os.fdopen(told, "rb") as answered:
        for number, question in enumerate(asked):
            os.write(questions, msgspec.json.encode({"id": number, **question}) + b"\n")
        serving = asyncio.create_task(answer_lines({"greet": greet, "nothing": nothing}, reading, answers))
        lines = [msgspec.json.decode(await asyncio.to_thread(answered.readline)) for _ in asked]
        os.close(questions)
        await serving
    os.close(answers)

    assert sorted(lines, key=lambda line: int(line["id"])) == [
        {"id": 0, "sdp": "a"},
        {"id": 1},
        {"id": 2, "error": "KeyError: 'sdp'"},
        {"id": 3, "error": "what is 'what'"},
    ]


def test_a_server_runs_to_its_end(tmp_path: Path) -> None:
    """On whichever loop."""
    ran: list[str] = []

    async def main() -> None:
        await asyncio.sleep(0)
        ran.append("ran")

    run_as_served(main())
    assert ran == ["ran"]
