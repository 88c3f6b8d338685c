"""What a step shows, and how its digest is chained."""

import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.identifiers import Kind, Reference
from signalreel.messages import AnyMessage, Start
from signalreel.settings import Rung
from signalreel.step import (
    DIGEST_SIZE,
    GENESIS,
    Deadline,
    Detail,
    HeightForced,
    Outcome,
    PublishTerms,
    Roster,
    Source,
    TrackSwitched,
    Transition,
    chain,
    outcome_of,
)
from tests.engine.world import World

MACHINE = Reference(Kind.STREAM, "live", "s1", 2)
MOVED = [Transition(MACHINE, "idle", "preparing")]
SAID: list[tuple[str, AnyMessage]] = [("a", Start("s1"))]
DUE = Deadline(5_000_000, MACHINE, 2)
DIGEST = chain(GENESIS, 2, MOVED, SAID, DUE)


@pytest.mark.parametrize(
    "other",
    [
        chain(bytes([1] * DIGEST_SIZE), 2, MOVED, SAID, DUE),
        chain(GENESIS, 3, MOVED, SAID, DUE),
        chain(GENESIS, 2, [Transition(MACHINE, "idle", "negotiating")], SAID, DUE),
        chain(GENESIS, 2, [Transition(MACHINE, "idle", "preparing", HeightForced(0))], SAID, DUE),
        chain(GENESIS, 2, [Transition(Reference(Kind.STREAM, "live", "s1", 3), "idle", "preparing")], SAID, DUE),
        chain(GENESIS, 2, [], SAID, DUE),
        chain(GENESIS, 2, MOVED, [("b", Start("s1"))], DUE),
        chain(GENESIS, 2, MOVED, [("a", Start("s2"))], DUE),
        chain(GENESIS, 2, MOVED, [*SAID, *SAID], DUE),
        chain(GENESIS, 2, MOVED, SAID, None),
        chain(GENESIS, 2, MOVED, SAID, Deadline(5_000_001, MACHINE, 2)),
    ],
)
def test_the_digest_covers_all_that_a_step_shows(other: bytes) -> None:
    """Contract 8: another transition, detail, life, message, receiver, deadline or past is another digest."""
    assert len(DIGEST) == DIGEST_SIZE
    assert other != DIGEST


def test_the_digest_of_a_step_is_this() -> None:
    """Contract 8: the digest of given values is the same on every machine and in every release, so it stands here."""
    assert chain(GENESIS, 2, list(MOVED), list(SAID), DUE) == DIGEST
    assert DIGEST.hex() == "6dafb86d021ff28cc0de45a26959d527"


def test_details_are_told_apart_on_a_reel() -> None:
    """The four kinds of detail come back as what they were."""
    details: list[Detail] = [
        PublishTerms(video=True, audio=False, codecs=("VP8",)),
        PublishTerms(video=True, audio=True, codecs=("VP8",), ladder=(Rung(240, 300_000, 32_000),)),
        Roster((Source("s1", 2),)),
        TrackSwitched("s1", "video", enabled=False),
        HeightForced(360),
    ]
    made = [Transition(MACHINE, "playing", "playing", detail) for detail in details]

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=list[Transition]) == made


def test_an_outcome_is_what_of_a_step_stands_beside_its_record() -> None:
    """Contract 8: the digest, the compact list of transitions, and the state digest when there is one."""
    world = World()
    world.open("a")
    step = world.say("a", Publish("s1", main_track="r"))

    outcome = outcome_of(step)

    assert outcome == Outcome(
        step.digest,
        [("stream", "live", "s1", "idle", "preparing"), ("room", "live", "r", "empty", "open")],
        step.state_digest,
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome) == outcome
