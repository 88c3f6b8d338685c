"""What holds for every test: generated examples are the same in every run, so a failure can be had again.

And what a test has shown of the protocol is noted as evidence, once it has passed.
"""

from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from tests.evidence import NOTES, EvidenceNotes, ran_well

pytest_plugins = ("signalreel_adapters.testing.plugin",)
"""Of this checkout, installed or not."""

settings.register_profile("deterministic", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("deterministic")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test passed, for the fixture that hears of it afterwards."""
    report = yield
    ran_well(item, report)
    return report


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Iterator[EvidenceNotes]:
    """Take ticks of items of the protocol; they count when the test has passed."""
    notes = EvidenceNotes(request.node.nodeid)
    yield notes
    if request.node.stash.get(NOTES, False):
        notes.keep()
