"""`signalreel_adapters.conformance.evidence`: what is written is read again, and what is no evidence is said."""

import os
from pathlib import Path

import pytest

from signalreel_adapters.conformance import Evidence, EvidenceError, Tick, read_evidence, tick_of

PONG = {"command": "pong"}


def tick(item: str, test: str = "test_it") -> Tick:
    """Make a tick of an item."""
    return tick_of(item, transport="memory", test=test, captured=PONG)


def test_ticks_are_read_in_the_order_of_the_page(tmp_path: Path) -> None:
    """Whichever process wrote them, and however often it wrote."""
    evidence = Evidence(tmp_path)
    evidence.write([tick("MSC-1", "b"), tick("PLY-1")])
    evidence.write([tick("MSC-1", "a")])
    (tmp_path / f"{os.getpid()}.jsonl").rename(tmp_path / "1.jsonl")
    evidence.write([tick("PUB-2")])

    assert [(one.item, one.test) for one in read_evidence(tmp_path)] == [
        ("PUB-2", "test_it"),
        ("PLY-1", "test_it"),
        ("MSC-1", "a"),
        ("MSC-1", "b"),
    ]


def test_without_ticks_nothing_is_written(tmp_path: Path) -> None:
    """Not even a folder."""
    Evidence(tmp_path / "evidence").write([])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{\n", "holds no evidence"),
        ('{"item": "MSC-1"}\n', "holds no evidence"),
        ('{"item": "MSC-99", "transport": "memory", "test": "t", "captured": {}}\n', "unknown: MSC-99"),
    ],
)
def test_what_is_no_evidence_is_said(tmp_path: Path, text: str, why: str) -> None:
    """A line cut short, a line of something else, an item that is no longer one."""
    (tmp_path / "1.jsonl").write_text(text)

    with pytest.raises(EvidenceError, match=why):
        read_evidence(tmp_path)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(EvidenceError, match="run them first"):
        read_evidence(tmp_path / "nowhere")
