"""Conditions that several machines share."""

import pytest

from signalreel.commands import Join, Play, Publish, TakeConfiguration
from signalreel.identifiers import Kind
from signalreel.machines.checks import (
    access_checks,
    access_denied,
    blocked,
    by_another_session,
    by_holder,
    is_answer,
    is_offer,
    licence_suspended,
    lives_as,
    load_checks,
    overloaded,
)
from signalreel.machines.context import Context, Environment
from signalreel.machines.shapes import Pair, PairState, Stream, StreamState
from signalreel.machines.table import Refused
from signalreel.record import Grant, Record
from signalreel.refusals import UNAUTHORIZED_ACCESS, USER_BLOCKED
from signalreel.settings import Settings

MACHINE = Pair("live", "x", PairState.WAITING, sessions=("a",))
INPUT = Join("x")


def around(environment: Environment | None = None, grant: Grant | None = None, session: str = "a") -> Context:
    """A context with these surroundings."""
    context = Context(Settings(cpu_percent_max=85, free_memory_mb_min=10))
    context.environment = environment if environment is not None else Environment()
    context.begin(Record(1, 0, session, command=INPUT, grant=grant), "live", session)
    return context


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (Environment(), False),
        (Environment(cpu_percent=84, free_memory_mb=10), False),
        (Environment(cpu_percent=85, free_memory_mb=10), True),
        (Environment(cpu_percent=100), True),
        (Environment(cpu_percent=1, free_memory_mb=9), True),
        (Environment(cpu_percent=1, free_memory_mb=0), True),
    ],
)
def test_a_machine_is_overloaded_at_its_limits(environment: Environment, expected: bool) -> None:
    """At the CPU limit or above, or below the free memory (protocol page: highResourceUsage)."""
    assert overloaded(MACHINE, INPUT, around(environment)) is expected


def test_a_licence_is_suspended_or_not() -> None:
    """The last thing that an operator said counts."""
    assert not licence_suspended(MACHINE, INPUT, around())
    assert licence_suspended(MACHINE, INPUT, around(Environment(licence_suspended=True)))


@pytest.mark.parametrize(
    ("grant", "denied", "is_blocked"),
    [
        (None, False, False),
        (Grant(allowed=True), False, False),
        (Grant(allowed=True, refusal=USER_BLOCKED.definition), False, False),
        (Grant(allowed=False), True, False),
        (Grant(allowed=False, refusal=UNAUTHORIZED_ACCESS.definition), True, False),
        (Grant(allowed=False, refusal="something else"), True, False),
        (Grant(allowed=False, refusal=USER_BLOCKED.definition), False, True),
    ],
)
def test_the_gates_verdict_is_taken_from_the_record(grant: Grant | None, denied: bool, is_blocked: bool) -> None:
    """Without a gate all is allowed; a block is told as such, and whatever else a gate says is a denial."""
    context = around(grant=grant)

    assert (access_denied(MACHINE, INPUT, context), blocked(MACHINE, INPUT, context)) == (denied, is_blocked)


def test_a_machine_belongs_to_whoever_holds_it() -> None:
    """The record's session is among the holders, or it is another."""
    for session, holds in (("a", True), ("b", False), ("", False)):
        context = around(session=session)

        assert by_holder(MACHINE, INPUT, context) is holds
        assert by_another_session(MACHINE, INPUT, context) is not holds


def test_an_id_lives_as_one_kind_in_its_own_app() -> None:
    """Contract 1: what lives under the id in another app does not count."""
    context = around()
    context.machines[(Kind.STREAM, "live", "x")] = Stream("live", "x", StreamState.PREPARING)
    context.machines[(Kind.ROOM, "other", "x")] = MACHINE

    assert lives_as(Kind.STREAM)(MACHINE, INPUT, context)
    assert lives_as(Kind.ROOM, Kind.STREAM)(MACHINE, INPUT, context)
    assert not lives_as(Kind.ROOM, Kind.PAIR)(MACHINE, INPUT, context)


@pytest.mark.parametrize(
    ("word", "offer", "answer"),
    [("offer", True, False), ("answer", False, True), ("Offer", False, False), ("", False, False)],
)
def test_a_description_is_an_offer_or_an_answer_or_neither(word: str, offer: bool, answer: bool) -> None:
    """The two words of the protocol, letter by letter."""
    description = TakeConfiguration("x", word, "v=0")

    assert (is_offer(MACHINE, description, around()), is_answer(MACHINE, description, around())) == (offer, answer)


def test_the_shared_checks_stand_in_their_order() -> None:
    """Licence before resources, access before blocks: the first that fails is the answer."""
    states = (StreamState.IDLE, StreamState.PREPARING)
    rows = [*load_checks(Publish, states), *access_checks(Play, states)]

    assert [(each.input, each.states, each.next) for each in rows] == [
        (Publish, states, None),
        (Publish, states, None),
        (Play, states, None),
        (Play, states, None),
    ]
    assert [each.action.refusal.definition for each in rows if isinstance(each.action, Refused)] == [
        "license_suspended_please_renew_license",
        "highResourceUsage",
        "unauthorized_access",
        "user_blocked",
    ]
