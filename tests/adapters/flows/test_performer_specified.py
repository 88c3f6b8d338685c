"""The flows of the specifications: each holds in memory and over a WebSocket, and together they show all."""

from pathlib import Path
from typing import Final

import pytest

from signalreel.refusals import REFUSALS
from signalreel_adapters.conformance import Transport
from signalreel_adapters.flows import Flow, Performed, memory_stage, perform
from tests.adapters.flows.staging import SPECIFIED, read, socket_stage
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio

PAGE_COMMANDS: Final = (
    "enableTrack",
    "forceStreamQuality",
    "getRoomInfo",
    "getStreamInfo",
    "getTrackList",
    "join",
    "joinRoom",
    "leave",
    "leaveFromRoom",
    "ping",
    "play",
    "publish",
    "stop",
    "takeCandidate",
    "takeConfiguration",
    "toggleAudio",
    "toggleVideo",
)
"""What the protocol page lets a client say."""


def by_stem(path: Path) -> str:
    """Show a parametrised flow by its name."""
    return path.stem


def tick_all(evidence: EvidenceNotes, transport: Transport, flow: Flow, performed: Performed) -> None:
    """Tick what the lines of a flow have proved."""
    for proof in performed.proofs:
        evidence.tick(proof.item, transport=transport, captured=proof.captured, said=proof.said, flow=flow.file)


@pytest.mark.parametrize("path", SPECIFIED, ids=by_stem)
async def test_it_holds_in_memory(path: Path, evidence: EvidenceNotes) -> None:
    """On asyncio and on trio."""
    flow = read(path)
    async with memory_stage(flow) as stage:
        performed = await perform(flow, stage)
    tick_all(evidence, "memory", flow, performed)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("path", SPECIFIED, ids=by_stem)
async def test_it_holds_over_a_socket(path: Path, evidence: EvidenceNotes) -> None:
    """Against the server as users run it, with fake media."""
    flow = read(path)
    async with socket_stage(flow) as stage:
        performed = await perform(flow, stage)
    tick_all(evidence, "websocket", flow, performed)


def test_every_error_of_the_page_is_shown_with_its_cause() -> None:
    """Each definition of the protocol page is expected by some flow."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SPECIFIED)
    of_page = [name for name, refusal in REFUSALS.items() if refusal.page]

    assert [name for name in of_page if f'"definition": "{name}"' not in text] == []


def test_every_command_of_the_page_is_said() -> None:
    """No command that a client can give is left without a flow."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SPECIFIED)

    assert [name for name in PAGE_COMMANDS if f'> {{"command": "{name}"' not in text] == []
