"""What must come about, and that it is missed when it does not."""

from contextlib import nullcontext

from signalreel.commands import Stop, TakeConfiguration
from signalreel.identifiers import Kind
from signalreel.simulation.agenda import MINUTE
from signalreel.simulation.clients import Client
from signalreel.simulation.liveness import LIVENESS, left_behind, unsettled
from signalreel.simulation.people import People
from signalreel.simulation.plan import Plan
from signalreel.simulation.texts import answer_to, offer_of
from signalreel.simulation.world import World
from tests.engine.zoo import planted

PLAN = Plan(seed=2, publishers=1, players=1, peers=3, members=3)


def settled() -> tuple[World, People]:
    """A world that has come to rest."""
    world = World(PLAN)
    people = People(world, PLAN)
    people.settle()
    world.run_for(MINUTE)
    return world, people


def test_a_world_at_rest_has_everything_it_wants() -> None:
    """Nothing is missed, and something is still there."""
    world, people = settled()

    assert unsettled(world, people) == []
    assert [violation.invariant for violation in left_behind(world)] == ["nothing-is-left"]


def test_it_is_missed_when_somebody_lacks_what_it_wants() -> None:
    """Each kind of want by its own name."""
    world, people = settled()
    for name in ("publisher-0", "peer-0", "peer-1", "member-0"):
        link = world.clients[name].link
        assert link is not None
        world.node.closed(link, 1006)

    found = {violation.invariant for violation in unsettled(world, people)}
    assert {"comes-live", "comes-together", "comes-to-meet"} <= found <= set(LIVENESS)


def test_it_is_noticed_when_a_client_believes_what_is_not_so() -> None:
    """A stream that ended behind its publisher's back."""
    world, people = settled()
    publisher = world.clients["publisher-0"]
    world.node.put(publisher.session, Stop("s0"))

    assert "comes-live" in {violation.invariant for violation in unsettled(world, people)}


def pair_at_rest() -> tuple[World, People, Client, Client]:
    """A world in which two are connected: whoever made the offer, and the other."""
    world, people = settled()
    clients = [person.client for person in people.everyone if world.holds(person.client, Kind.PAIR, "p0") is not None]
    offerer = next(client for client in clients if client.calling["p0"].offered >= 0)
    return world, people, offerer, next(client for client in clients if client is not offerer)


def test_an_answer_to_an_older_offer_is_noticed() -> None:
    """When the newer one had been relayed before it; the engine without the bug does not send it."""
    stale = ["newest-answer-arrives"]
    for bug, expected in (("", []), ("a stale answer is relayed", stale)):
        with planted(bug) if bug else nullcontext():
            world, people, offerer, answerer = pair_at_rest()
            for number in (900, 901):
                world.node.put(offerer.session, TakeConfiguration("p0", "offer", offer_of(number)))
            world.node.put(answerer.session, TakeConfiguration("p0", "answer", answer_to(900)))

            found = [violation.invariant for violation in unsettled(world, people)]
            assert found == expected, bug


def test_an_answer_may_cross_a_newer_offer() -> None:
    """What is still under way to the server, nobody can have answered."""
    world, people, offerer, answerer = pair_at_rest()
    world.node.put(offerer.session, TakeConfiguration("p0", "offer", offer_of(900)))
    world.node.put(answerer.session, TakeConfiguration("p0", "answer", answer_to(900)))
    world.node.put(offerer.session, TakeConfiguration("p0", "offer", offer_of(901)))

    assert unsettled(world, people) == []


def test_an_answer_is_not_missed_whose_offer_was_held_back() -> None:
    """Who offers more than the server relays gets the answer to an earlier one; that is a limit, and no mistake."""
    world, people, offerer, _ = pair_at_rest()
    for number in range(PLAN.settings.offers_owed_max + 1):
        world.node.put(offerer.session, TakeConfiguration("p0", "offer", f"v=0 {number}"))
    violations = {violation.invariant for violation in unsettled(world, people)}

    assert "newest-answer-arrives" not in violations
