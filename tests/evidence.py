"""Evidence: what a test has captured of the protocol, kept when the test has passed.

def test_it(evidence: EvidenceNotes) -> None:
    evidence.tick("PUB-9", transport="browser", captured=publish_started, media={"frames_decoded": 31})
"""

from collections.abc import Mapping
from typing import Final

import pytest

from signalreel_adapters.conformance import Evidence, Tick, Transport, tick_of
from signalreel_adapters.conformance.evidence import FOLDER
from tests.repository import ROOT

__all__ = ("NOTES", "EvidenceNotes", "ran_well")

NOTES: Final = pytest.StashKey[bool]()
"""Whether the call of a test passed."""


class EvidenceNotes:
    """The ticks of one test, until it is known to have passed."""

    def __init__(self, test: str) -> None:
        self.ticks: list[Tick] = []
        self._test = test

    def tick(
        self,
        item: str,
        *,
        transport: Transport,
        captured: Mapping[str, object],
        said: Mapping[str, object] | None = None,
        media: Mapping[str, float] | None = None,
        unanswered: bool = False,
        flow: str = "",
    ) -> None:
        """Tick an item by its id. Raises `NoEvidence` when it is unknown, or too little of it was captured.

        `captured` is the server's message as it came, or what the client said where nothing answers it; `said` is what
        the client had said before. `media` are figures, `frames_decoded`, `packets` or `messages` among them.
        """
        self.ticks.append(
            tick_of(
                item,
                transport=transport,
                test=self._test,
                captured=captured,
                said=said,
                media=media,
                unanswered=unanswered,
                flow=flow,
            )
        )

    def keep(self) -> None:
        """Write them down."""
        Evidence(ROOT / FOLDER).write(self.ticks)


def ran_well(item: pytest.Item, report: pytest.TestReport) -> None:
    """Note that the call of a test passed."""
    if report.when == "call":
        item.stash[NOTES] = report.passed
