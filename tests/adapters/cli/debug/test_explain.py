"""`signalreel_adapters.cli.debug.explain`, and that every refusal that a flow can produce has a reason of its own."""

import json
import shutil
from pathlib import Path
from typing import Final

import pytest

from signalreel.debug.explain import Subject, explain
from signalreel.refusals import REFUSALS
from signalreel_adapters.cli import main
from signalreel_adapters.flows.memory import memory_stage
from signalreel_adapters.flows.performer import perform
from tests.adapters.flows.staging import SPECIFIED, read
from tests.reels.make import FOLDER

ABOUT_REFUSALS: Final = [path for path in SPECIFIED if path.stem.startswith(("error-", "push-refused", "peer-to-peer"))]

THE_INPUT_ALONE: Final = {
    "noStreamNameSpecified",
    "invalidStreamName",
    "no_room_specified",
    "missingParameter",
    "authenticationTokenNotValid",
}
"""Definitions for which the state says nothing: what is sent is at fault, and the catalogue says how."""

OFF_THE_REEL: Final = {"data_store_not_available", "not_initialized_yet"}
"""Definitions that are answered when nothing can be recorded."""


@pytest.mark.anyio
async def test_every_refusal_of_the_flows_has_a_reason() -> None:
    """Each definition of the catalogue is produced by a flow, and told with its holder, limit, order or record."""
    bare: set[str] = set()
    seen: set[str] = set()
    for path in ABOUT_REFUSALS:
        flow = read(path)
        async with memory_stage(flow) as stage:
            await perform(flow, stage)
            reel = stage.host.runtime.reel
        for sentence in explain(reel, Subject(refusals=True)).sentences:
            seen.add(sentence.definition)
            cause = REFUSALS[sentence.definition].cause
            if f"because {cause[:1].lower()}{cause[1:].rstrip('.')}" in sentence.told:
                bare.add(sentence.definition)
            assert sentence.advice
            assert sentence.rules

    assert set(REFUSALS) - seen == OFF_THE_REEL
    assert bare <= THE_INPUT_ALONE


@pytest.fixture
def golden(tmp_path: Path) -> str:
    """A copy of a golden reel."""
    return str(shutil.copy(FOLDER / "0.1.0.reel", tmp_path))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["explain", *arguments])
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def test_it_tells_why_with_rule_and_advice(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The holder of the id, since when, until when; below it the rule and what to do."""
    code, out, _ = run(capsys, golden, "--stream", "cam", "--rules")

    assert code == 0
    assert "was refused with streamIdInUse, because the stream cam is broadcasting since record 11" in out
    assert "; freed at 45, when the host ordered endStream, by operator" in out
    assert "rule: stream broadcasting x publish row 4: refuse streamIdInUse" in out
    assert "what to do: Use another id" in out
    assert "v=0" not in out
    assert "192.0.2.1" not in out


def test_json_is_one_object(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts: the sentences with their records, definitions and rules."""
    code, out, _ = run(capsys, golden, "--refusals", "--json")
    found = json.loads(out)

    assert code == 0
    assert set(found) == {"sentences", "records", "left_out"}
    assert {"streamIdInUse", "NoSpaceForNewPeer"} <= {sentence["definition"] for sentence in found["sentences"]}


@pytest.mark.parametrize("arguments", [[], ["--stream", "a", "--room", "b"]])
def test_one_thing_is_asked_about(golden: str, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Nothing, or two things at once, is a mistake that says what there is to ask."""
    code, _, err = run(capsys, golden, *arguments)

    assert code == 2
    assert "one of --stream ID, --room NAME" in err


def test_how_much_was_found_is_said(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence is one; none is said to be none, with what lists what there is."""
    assert run(capsys, golden, "--at", "13")[1].endswith("\n1 sentence, from 158 records\n")
    code, out, err = run(capsys, golden, "--stream", "absent")
    assert (code, out) == (0, "")
    assert err.startswith("nothing to explain in 158 records; `signalreel reel show FILE`")
