"""`signalreel.debug.redact`."""

import base64
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import GetSubtracks, JoinRoom, Play, Publish, TakeConfiguration
from signalreel.debug.redact import Redactor, redact
from signalreel.debug.seams import redacted_seam
from signalreel.errors import ReelDamaged
from signalreel.events import SessionClosed
from signalreel.header import encode_header
from signalreel.notes import AnyNote, Closed, MediaFailed, Note, encode_note
from signalreel.record import Record, decode_record, encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.step import Step
from tests.engine.debug.canaries import CANARY, DESCRIPTION, canaries_in, planted_reel, planted_seam
from tests.engine.segments import segment_of
from tests.engine.test_engine_random import run
from tests.engine.tour import tour
from tests.engine.world import World

KEY: Final = b"a key that nobody knows"
RUNS: Final = 12


def bytes_of(reel: Reel) -> bytes:
    """Everything of a reel that a file of it would hold."""
    parts = [encode_header(reel.header)]
    for entry in reel.entries():
        parts += [entry.record, entry.chain, msgspec.msgpack.encode(entry.outcome)]
    parts += [reel.seam or b"", *map(encode_note, reel.notes(reel.first_seq))]
    return b"\n".join(parts)


def steps_of(reel: Reel) -> list[Step]:
    """What every record of a reel causes, none of it otherwise than recorded."""
    replayed = list(Cursor(reel, state_digest_every=1))
    assert [one.divergence for one in replayed if one.divergence is not None] == []
    return [one.step for one in replayed]


def assert_causes_the_same(reel: Reel) -> None:
    """Hold a redacted reel against its original, record by record, by the mapping of its own redactor."""
    redactor = Redactor(KEY, [reel])
    made = redactor.redacted(reel)
    assert (made.differences, made.differing) == (0, ())
    for original, step in zip(steps_of(reel), steps_of(made.reel), strict=True):
        assert step.transitions == redactor.value(original.transitions)
        assert step.deadline == redactor.value(original.deadline)
        assert (step.refused, step.record.time) == (original.refused, original.record.time)
        assert step.fired == [(redactor.name(id), row) for id, row in original.fired]
        assert [to for to, _ in step.messages] == [redactor.name(to) for to, _ in original.messages]
        assert [type(message) for _, message in step.messages] == [type(message) for _, message in original.messages]


@settings(max_examples=RUNS, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_a_redacted_reel_takes_the_same_transitions(seed: int) -> None:
    """Whatever happened: transitions, refusals, rows, deadlines and who is told are the same, but for the names."""
    assert_causes_the_same(run(seed).reel())


def test_every_row_of_every_table_fires_again() -> None:
    """The same over the tour, in which each row that can fire does."""
    assert_causes_the_same(tour().reel())


def test_no_canary_comes_through() -> None:
    """Planted in every text of every input and of the header, in any spelling: not one stands in any byte."""
    reel = planted_reel()
    assert len(canaries_in(bytes_of(reel))) > 3, "nothing was planted"
    assert canaries_in(bytes_of(redact(reel, KEY))) == []


def test_every_text_of_every_input_held_a_canary() -> None:
    """The test above proves something: each planted record is full of them, and decodes."""
    for entry in planted_reel().entries():
        record = decode_record(entry.record)
        assert encode_record(record).count(CANARY.encode()) >= 4, record


def test_canaries_are_found_in_what_they_are_hidden_in() -> None:
    """The finder finds: encoded, percent-encoded, in hexadecimal, wide, reversed, in other letters."""
    text = f"x{CANARY}7"
    spellings = (
        *(
            text.encode(),
            text.lower().encode(),
            text[::-1].encode(),
            text.encode("utf-16"),
            text.encode().hex().encode(),
        ),
        *(
            base64.b64encode(text.encode()),
            base64.b64encode(b"y" + text.encode()),
            base64.b64encode(b"yz" + text.encode()),
        ),
    )
    for spelt in spellings:
        assert canaries_in(b"..." + spelt + b"..."), spelt
    assert canaries_in(b"nothing of that sort") == []


@settings(max_examples=RUNS, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=450))
def test_a_segment_goes_on_from_its_redacted_seam(seed: int, at: int) -> None:
    """Whatever state a segment begins with: registrations, standings, used tokens, machines and their timers."""
    assert_causes_the_same(segment_of(run(seed).reel(), at))


def test_no_canary_at_a_seam_comes_through() -> None:
    """Planted in every text of a snapshot, in the places of registrations too, and in notes of every kind."""
    reel = MemoryReel(seam=planted_seam(), first_seq=2)
    assert len(canaries_in(planted_seam())) >= 1
    redactor = Redactor(KEY, [reel])
    seam = redacted_seam(planted_seam(), redactor.value, redactor.name, bytes)
    notes = [encode_note(note) for note in redact(planted_reel(), KEY).notes(1)]

    assert canaries_in(seam) == []
    assert len(notes) == len(get_args(AnyNote))
    assert canaries_in(b"".join(notes)) == []


def test_what_media_and_sockets_said_can_still_be_read() -> None:
    """Reasons in the words of Signalreel stay, in notes and on records; what a client puts there does not."""
    world = world_with_names()
    world.apply(SessionClosed(1008, "kicked"), session="bob")
    world.apply(SessionClosed(1000, "bye, says Bob"), session="alice")
    reel = world.reel()
    reel.note(Note(2, 0, "bob", MediaFailed("dtls", "the DTLS handshake failed")))
    reel.note(Note(2, 0, "bob", Closed(1008, "Bob went home", "client")))
    data = bytes_of(redact(reel, KEY))

    assert [text for text in (b"kicked", b"the DTLS handshake failed", b"client") if text not in data] == []
    assert [text for text in (b"bye", b"Bob", b"home") if text in data] == []


def world_with_names() -> World:
    """A publisher and two viewers, of whom one is refused."""
    world = World(Settings(stun_server="stun:stun.example.org"))
    world.open("alice", "bob")
    world.say("alice", JoinRoom("lobby", "cam"))
    world.publish("alice", "cam", room="lobby")
    world.say("bob", Publish("cam", subscriber_id="Bob B."))
    world.play("bob", "lobby")
    world.say("bob", Play("cam", track_list=("!cam", "ARDAMSvcam")))
    world.say("alice", TakeConfiguration("cam", "offer", DESCRIPTION))
    return world


def test_words_of_the_protocol_stay_and_names_do_not() -> None:
    """The refusal, the kinds of description and the inputs can be read; no name can."""
    reel = world_with_names().reel()
    shared = redact(reel, KEY)
    data = bytes_of(shared)

    assert [step.refused for step in steps_of(shared)].count("streamIdInUse") == 1
    assert b"offer" in data
    assert [word for word in (b"alice", b"bob", b"lobby", b"cam", b"Bob", b"stun.example") if word in data] == []


def test_names_of_streams_and_rooms_can_be_kept() -> None:
    """With `keep_names` these stay, and sessions, people and the app do not."""
    data = bytes_of(redact(world_with_names().reel(), KEY, keep_names=True))

    assert [word for word in (b"lobby", b"cam") if word not in data] == []
    assert [word for word in (b"alice", b"bob", b"Bob", b"stun.example", b"live") if word in data] == []


def test_the_same_key_gives_the_same_reel_and_another_gives_another() -> None:
    """Byte by byte; and a name has the same tag in any reel of the key."""
    reel = world_with_names().reel()
    assert bytes_of(redact(reel, KEY)) == bytes_of(redact(reel, KEY))
    assert bytes_of(redact(reel, KEY)) != bytes_of(redact(reel, KEY[::-1]))

    other = World()
    other.open("zoe")
    other.say("zoe", Play("cam"))
    first, second = Redactor(KEY, [reel]), Redactor(KEY, [other.reel()])
    assert first.name("cam").partition("-")[2] == second.name("cam").partition("-")[2]
    together = Redactor(KEY, [reel, other.reel()])
    assert together.redacted(other.reel()).differences == 0


def test_what_was_recorded_otherwise_is_still_recorded_otherwise() -> None:
    """A reel of a server with a fault shows it after redaction at the same record, and only from there."""
    original = world_with_names().reel()
    reel = MemoryReel(original.header)
    for entry in original.entries():
        outcome = entry.outcome
        assert outcome is not None
        if entry.seq == 5:
            outcome = replace(outcome, transitions=[("stream", "live", "cam", "idle", CANARY)])
        if entry.seq >= 7:
            outcome = replace(outcome, digest=bytes(16))
        reel.append(entry.seq, entry.record)
        reel.conclude(entry.seq, outcome)
    reel.append(original.last_seq + 1, encode_record(Record(original.last_seq + 1, 10**9, "alice", command=Play("x"))))
    diverging = [(one.divergence.seq, one.divergence.what) for one in Cursor(reel) if one.divergence is not None]
    shared = redact(reel, KEY)

    assert diverging[:2] == [(5, "transitions"), (7, "digest")]
    assert [(one.divergence.seq, one.divergence.what) for one in Cursor(shared) if one.divergence] == diverging
    assert next(iter(shared.entries(shared.last_seq))).outcome is None, "the run had ended before it was known"
    assert canaries_in(bytes_of(shared)) == []


def test_a_reel_that_cannot_be_read_is_refused() -> None:
    """Damage is told with its place; what comes before it is not shared either."""
    reel = MemoryReel()
    reel.append(1, b"\xc1 no record")
    with pytest.raises(ReelDamaged, match="record 1"):
        redact(reel, KEY)


def test_a_search_is_as_hidden_as_what_it_looks_for() -> None:
    """A piece of a name is a text like any other: what it was is not seen, so what it finds may differ."""
    world = world_with_names()
    world.say("bob", GetSubtracks("lobby", search="secret"))
    made = Redactor(KEY, [world.reel()]).redacted(world.reel())

    assert made.differences == 0
    assert b"secret" not in bytes_of(made.reel)
