"""What must come about, and that it is missed when it does not."""

from signalreel.commands import Stop, TakeConfiguration
from signalreel.simulation.agenda import MINUTE
from signalreel.simulation.liveness import LIVENESS, left_behind, unsettled
from signalreel.simulation.people import People
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World

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


def test_an_answer_is_not_missed_whose_offer_was_held_back() -> None:
    """Who offers more than the server relays gets the answer to an earlier one; that is a limit, and no mistake."""
    world, people = settled()
    peers = [person for person in people.everyone if person.role.does == "join"]
    peers[0].client.stale_answers = 1
    assert [violation.invariant for violation in unsettled(world, people)] == ["newest-answer-arrives"]

    offerer = next(peer.client for peer in peers if peer.client.calling["p0"].offered >= 0)
    for number in range(PLAN.settings.offers_owed_max + 1):
        world.node.put(offerer.session, TakeConfiguration("p0", "offer", f"v=0 {number}"))
    violations = {violation.invariant for violation in unsettled(world, people)}

    assert "newest-answer-arrives" not in violations
