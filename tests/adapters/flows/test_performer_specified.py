"""The flows of the specifications: each holds in memory and over a WebSocket, and together they show all."""

from pathlib import Path
from typing import Final

import pytest

from signalreel.commands import COMMANDS
from signalreel.refusals import REFUSALS
from signalreel_adapters.conformance import Transport
from signalreel_adapters.flows import Flow, Performed, memory_stage, perform
from tests.adapters.flows.staging import SPECIFIED, read, socket_stage
from tests.evidence import EvidenceNotes
from tools.specifications.answers import NOTIFICATIONS

pytestmark = pytest.mark.anyio


WHILE_IT_STARTS: Final = frozenset({"not_initialized_yet"})
"""What only a server says that is not there yet: no flow can begin on one."""


def by_stem(path: Path) -> str:
    """Show a parametrised flow by its name."""
    return path.stem


def tick_all(evidence: EvidenceNotes, transport: Transport, flow: Flow, performed: Performed) -> None:
    """Tick what the lines of a flow have proved."""
    for proof in performed.proofs:
        evidence.tick(
            proof.item,
            transport=transport,
            captured=proof.captured,
            said=proof.said,
            unanswered=proof.unanswered,
            flow=flow.file,
        )


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


def test_every_command_is_said() -> None:
    """No command that a client can give is left without a flow."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SPECIFIED)

    assert [name for name in COMMANDS if f'> {{"command": "{name}"' not in text] == []


def test_every_error_is_shown_with_its_cause() -> None:
    """Also those that are not on the page: every definition that a client can receive."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SPECIFIED)

    assert [name for name in REFUSALS.keys() - WHILE_IT_STARTS if f'"definition": "{name}"' not in text] == []


def test_every_notification_is_shown() -> None:
    """Each kind that the protocol page of the specifications knows."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SPECIFIED)

    assert [name for name in NOTIFICATIONS if f'"definition": "{name}"' not in text] == []
