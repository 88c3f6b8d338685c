"""Conformance: what the protocol asks for, item by item, and which test has shown it.

An item is covered when a test captured the message of it on a transport and passed. Tests tick items while they run;
`signalreel conformance` reads what they left.
"""

from signalreel_adapters.conformance.coverage import Shown, coverage_of
from signalreel_adapters.conformance.evidence import Evidence, EvidenceError, read_evidence
from signalreel_adapters.conformance.items import ITEMS, Item, Need
from signalreel_adapters.conformance.page import page_of
from signalreel_adapters.conformance.ticks import NoEvidence, Tick, Transport, tick_of

__all__ = (
    "ITEMS",
    "Evidence",
    "EvidenceError",
    "Item",
    "Need",
    "NoEvidence",
    "Shown",
    "Tick",
    "Transport",
    "coverage_of",
    "page_of",
    "read_evidence",
    "tick_of",
)
