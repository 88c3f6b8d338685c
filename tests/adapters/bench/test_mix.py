"""The fixed mix is what it says, the same every time."""

from collections import Counter

from signalreel.commands import Join, JoinRoom, Play, Publish, TakeConfiguration
from signalreel.debug.predicates import compile_predicate
from signalreel.engine import Engine
from signalreel.events import DescriptionCreated, SessionOpened
from signalreel.identifiers import Kind
from signalreel.record import encode_record
from signalreel_adapters.bench.mix import BACKGROUND_STREAMS, CANDIDATES_A_SIDE, PLANTED, make_failing, make_mix

COUNT = 4_000
DESCRIPTION_SIZE_MIN = 3_072


def test_the_same_seed_gives_the_same_records() -> None:
    """Two mixes of one seed are equal byte for byte, and another seed gives another."""
    first, second, other = make_mix(COUNT), make_mix(COUNT), make_mix(COUNT, seed=2)

    assert [encode_record(record) for record in first[1]] == [encode_record(record) for record in second[1]]
    assert first[1] != other[1]
    assert len(first[1]) == COUNT


def test_the_background_is_a_thousand_live_streams() -> None:
    """After the first part a thousand streams broadcast, and nothing else lives."""
    background, _ = make_mix(100)
    engine = Engine()
    for record in background:
        engine.apply(record)

    states = Counter((key[0], str(machine.state)) for key, machine in engine.machines())

    assert states == {(Kind.STREAM, "broadcasting"): BACKGROUND_STREAMS}


def test_every_description_is_long_and_every_kind_of_flow_is_there() -> None:
    """Descriptions have at least 3 KB, and all four kinds of flow begin equally often."""
    _, records = make_mix(20_000)
    descriptions = [
        carried.sdp
        for record in records
        for carried in (record.command, record.event)
        if isinstance(carried, TakeConfiguration | DescriptionCreated)
    ]
    begun = Counter(type(record.command) for record in records)
    opened = sum(isinstance(record.event, SessionOpened) for record in records)

    assert min(len(sdp.encode()) for sdp in descriptions) >= DESCRIPTION_SIZE_MIN
    assert begun[Join] // 2 <= opened
    quarters = [begun[Play], begun[Join] // 2, begun[JoinRoom], begun[Publish] - begun[JoinRoom]]
    assert max(quarters) - min(quarters) <= 0.2 * sum(quarters)
    assert CANDIDATES_A_SIDE == 8


def test_a_failure_is_planted_once() -> None:
    """After three quarters of the records, and the condition that goes with it holds for that record alone."""
    engine, planted = Engine(), compile_predicate(PLANTED)
    records = make_failing(6_000)

    failing = [record.seq for record in records if planted.holds(engine, engine.apply(record))]

    assert len(records) == 6_000
    assert len(failing) == 1
    assert 4_500 < failing[0] < 5_100
