"""Reels in memory that every later version has to replay, beside the recorded calls: `python -m tests.reels.corpus`.

Each is a file with the bytes of a reel's parts (header, seam, records, outcomes, notes) as their codecs gave them, in
whatever layout the files of that time kept them. Together they hold every input that can be recorded, every state in
which a segment can be cut, every kind of note, and an end at which outcomes are missing.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from signalreel.commands import GetIceServerConfig, RegisterPushToken, SendPush
from signalreel.events import ClockAdjusted, RunStarted, ShutdownAnnounced
from signalreel.header import ENGINE_VERSION, Header, decode_header, encode_header
from signalreel.host import (
    IssueToken,
    KickSession,
    RegisterSubscriber,
    RevokeTokens,
    UnregisterPushes,
    UnregisterRoom,
    UnregisterSubscriber,
)
from signalreel.notes import Note, decode_note, encode_note
from signalreel.record import Input, encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.registered import IssuedToken, Purpose, Subscriber
from signalreel.replay import Cursor
from signalreel.step import Outcome, outcome_of
from tests.engine.scenes import SETTINGS
from tests.engine.segments import segment_of
from tests.engine.test_notes import EVERY
from tests.engine.tour import tour
from tests.engine.world import APP, World

__all__ = ("CORPUS", "FIGURES", "MADE", "figures_of", "make", "read", "written")

CORPUS: Final = Path(__file__).resolve().parent / "corpus"
"""Where the files are: a folder for each version."""

FIGURES: Final = CORPUS / "figures.json"
"""What each of them gives when it is replayed, by its place in the folder."""

_SEGMENT_AT: Final = 2_964
_SEGMENT_RECORDS: Final = 300
_WITHOUT_OUTCOME: Final = 5


def inputs() -> MemoryReel:
    """Every input that can be recorded, at least once."""
    world = World(SETTINGS)
    world.open("anna", "bert")
    world.publish("anna", "s1", room="hall")
    world.play("bert", "s1")
    seen: set[type[Input]] = set()
    for record in tour().records:
        if type(record.input) not in seen:
            seen.add(type(record.input))
            world.apply(record.input, session="bert", grant=record.grant)
    for input in _not_on_the_tour():
        world.apply(input, session="anna")
    world.report(RunStarted())
    return world.reel()


def _not_on_the_tour() -> Iterator[Input]:
    yield GetIceServerConfig()
    yield RegisterPushToken(subscriber_id="ann", pns_type="fcm")
    yield SendPush(subscriber_id="ann", push_notification_content={"title": "hello"})
    yield ClockAdjusted(1_000_000)
    yield ShutdownAnnounced()
    yield IssueToken(app=APP, token=IssuedToken("tag", "s1", Purpose.PLAY, 9_999))
    yield RevokeTokens(app=APP, stream_id="s1")
    yield RegisterSubscriber(app=APP, subscriber=Subscriber("s1", "ann"))
    yield UnregisterSubscriber(app=APP, stream_id="s1", subscriber_id="ann")
    yield UnregisterPushes(app=APP, subscriber_id="ann")
    yield UnregisterRoom(app=APP, room="hall")
    yield KickSession(app=APP, session="bert")


def segment() -> MemoryReel:
    """A segment of the tour of all tables, with the state that the records before it left."""
    return segment_of(tour().reel(), _SEGMENT_AT, _SEGMENT_RECORDS)


def _call() -> World:
    world = World(SETTINGS)
    world.open("anna", "bert")
    world.publish("anna", "s1")
    world.play("bert", "s1")
    world.close("bert")
    world.close("anna")
    return world


def noted() -> MemoryReel:
    """A call with a note of every kind beside it."""
    reel = _call().reel()
    for seq, body in enumerate(EVERY, 1):
        reel.note(Note(min(seq, reel.last_seq), seq, "anna", body))
    return reel


def unconcluded() -> MemoryReel:
    """A call whose last records have no outcomes: the run ended before they were written."""
    world = _call()
    reel = MemoryReel(Header(SETTINGS))
    for past in world.past:
        reel.append(past.record.seq, encode_record(past.record))
        if past.record.seq <= len(world.past) - _WITHOUT_OUTCOME:
            reel.conclude(past.record.seq, outcome_of(past.step))
    return reel


MADE: Final[dict[str, Callable[[], MemoryReel]]] = {
    "inputs": inputs,
    "segment": segment,
    "noted": noted,
    "unconcluded": unconcluded,
}
"""What each file of this version is made of."""


def written(reel: Reel) -> bytes:
    """Give a reel as one file of the corpus."""
    return msgspec.msgpack.encode(
        {
            "header": encode_header(reel.header),
            "seam": reel.seam,
            "first_seq": reel.first_seq,
            "records": [[entry.record, entry.outcome] for entry in reel.entries()],
            "notes": [encode_note(note) for note in reel.notes()],
        }
    )


def read(data: bytes) -> MemoryReel:
    """Give the reel of a file of the corpus."""
    parts: dict[str, Any] = msgspec.msgpack.decode(data)
    reel = MemoryReel(decode_header(parts["header"]), seam=parts["seam"], first_seq=parts["first_seq"])
    for seq, (record, outcome) in enumerate(parts["records"], parts["first_seq"]):
        reel.append(seq, record)
        if outcome is not None:
            reel.conclude(seq, msgspec.convert(outcome, Outcome))
    for note in parts["notes"]:
        reel.note(decode_note(note))
    return reel


def figures_of(reel: Reel) -> dict[str, Any]:
    """Replay a reel and say what it gave."""
    cursor = Cursor(reel, state_digest_every=1)
    steps = [replayed.step for replayed in cursor]
    return {
        "records": len(steps),
        "first": reel.first_seq,
        "transitions": sum(len(step.transitions) for step in steps),
        "messages": sum(len(step.messages) for step in steps),
        "refused": sum(bool(step.refused) for step in steps),
        "notes": sum(1 for _ in reel.notes()),
        "digest": steps[-1].digest.hex(),
        "state": steps[-1].state_digest.hex(),
    }


def make() -> None:
    """Make the files of this version anew, and write down what they give."""
    folder = CORPUS / ENGINE_VERSION
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for name, recipe in MADE.items():
        reel = recipe()
        (folder / f"{name}.msgpack").write_bytes(written(reel))
        figures[f"{ENGINE_VERSION}/{name}"] = figures_of(reel)
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make()
