"""The page about flows: its examples hold, and it describes every line that there is."""

import re
from typing import Final, get_args

import pytest

from signalreel_adapters.flows import memory_stage, parse_flow, perform
from signalreel_adapters.flows.given import GIVEN
from signalreel_adapters.flows.script import MediaWish
from tests.repository import ROOT

pytestmark = pytest.mark.anyio

PAGE: Final = (ROOT / "docs" / "reference" / "flows.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"^```flow\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
STEPS: Final = re.findall(r"^\| (`.+?) \|", PAGE.partition("## The steps")[2].partition("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES)
async def test_its_examples_hold(text: str) -> None:
    """Each is a whole flow."""
    flow = parse_flow(text, file="flows.md", app="page")
    async with memory_stage(flow) as stage:
        await perform(flow, stage)


@pytest.mark.parametrize("line", [line for cell in STEPS for line in re.findall("`(.+?)`", cell)])
def test_every_line_of_its_table_is_one(line: str) -> None:
    """With its placeholders filled in, each line is understood."""
    filled = (
        line.replace("{…}", "{}")
        .replace('{"event": …}', '{"event": "LicenceChanged", "suspended": true}')
        .replace('{"host": …}', '{"host": "closeRoom", "room": "r"}')
        .replace("TARGET VIDEO AUDIO", "3 2 1")
        .replace(" N", " 5")
    )
    access = "access: on\n" if "issues" in filled else ""
    below = "\n  anna < {}" if filled == "in any order" else ""
    after = "\nserver stops" if filled.startswith("#") else ""

    assert parse_flow(f"flow: x\n{access}{filled}{below}{after}", file="flows.md", app="page").steps


def test_it_names_what_can_be_chosen() -> None:
    """Every kind of media, and every name that is given."""
    assert [wish for wish in get_args(MediaWish) if f"`{wish}`" not in PAGE] == []
    assert [name for name in GIVEN if f"`{{{name}}}`" not in PAGE] == []
