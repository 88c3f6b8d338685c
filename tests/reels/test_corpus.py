"""The corpus replays for ever to what it gave when it was made (Contract 9)."""

import json
from typing import Any, Final

import pytest

from signalreel.commands import Ping
from signalreel.header import ENGINE_VERSION
from signalreel.notes import NoteBody
from signalreel.record import INPUTS, decode_record
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from tests.reels.corpus import CORPUS, FIGURES, MADE, figures_of, read

GIVEN: Final[dict[str, dict[str, Any]]] = json.loads(FIGURES.read_text(encoding="utf-8"))

NOT_YET: Final = {"LogicRaised"}
"""Inputs that no reel can hold: this version knows no flag that could be raised."""


def reel_of(place: str) -> MemoryReel:
    """One of the corpus."""
    return read((CORPUS / f"{place}.msgpack").read_bytes())


@pytest.mark.parametrize("place", sorted(GIVEN))
def test_it_replays_to_what_it_gave(place: str) -> None:
    """No outcome is different, and the figures, the last digest and the last state are those written down."""
    reel = reel_of(place)

    assert [each.divergence for each in Cursor(reel) if each.divergence] == []
    assert figures_of(reel) == GIVEN[place]


def test_there_is_every_reel_of_this_version_and_no_other() -> None:
    """A file without figures would be held to nothing."""
    assert {str(path.relative_to(CORPUS).with_suffix("")) for path in CORPUS.glob("*/*.msgpack")} == set(GIVEN)
    assert {f"{ENGINE_VERSION}/{name}" for name in MADE} <= set(GIVEN)


@pytest.mark.parametrize("name", MADE)
def test_this_version_makes_the_same(name: str) -> None:
    """The recipe gives the reel again. If not: mend it, or `python -m tests.reels.corpus`."""
    assert figures_of(MADE[name]()) == GIVEN[f"{ENGINE_VERSION}/{name}"]


def test_every_input_and_every_note_is_in_it() -> None:
    """What is not in the corpus could be read differently by a later version unseen."""
    recorded = {type(decode_record(entry.record).input) for entry in reel_of(f"{ENGINE_VERSION}/inputs").entries()}
    kinds = {type(note.body) for note in reel_of(f"{ENGINE_VERSION}/noted").notes()}

    assert {name for name, kind in INPUTS.items() if kind not in recorded} == {
        str(Ping.__struct_config__.tag),
        *NOT_YET,
    }
    assert kinds == set(NoteBody.__subclasses__())


def test_a_segment_starts_with_machines_of_its_parent() -> None:
    """Its seam holds a state that is not empty, and the seqs go on."""
    reel = reel_of(f"{ENGINE_VERSION}/segment")
    cursor = Cursor(reel)

    assert reel.first_seq == cursor.position + 1 > 1
    assert list(cursor.engine.machines())
    assert cursor.engine.sessions()


def test_an_end_without_outcomes_is_whole() -> None:
    """Replaying gives the outcomes that were not written any more."""
    replayed = list(Cursor(reel_of(f"{ENGINE_VERSION}/unconcluded")))

    assert [each.recorded is None for each in replayed[-6:]] == [False, True, True, True, True, True]
