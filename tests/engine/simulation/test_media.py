"""The media of a simulated server: what it reports, when, and what it keeps to itself."""

from random import Random

from signalreel.commands import Play, Publish, Stop, TakeConfiguration
from signalreel.events import AnyEvent, CandidateFound, DescriptionCreated, MediaConnected, TracksFound
from signalreel.simulation.agenda import SECOND, Agenda
from signalreel.simulation.luck import Luck
from signalreel.simulation.media import Media
from signalreel.simulation.plan import Plan
from tests.engine.world import World


def beside(world: World) -> tuple[Agenda, Media, list[AnyEvent]]:
    """Media that is shown every step of a world, and what it reports."""
    agenda, reported = Agenda(), list[AnyEvent]()
    return agenda, Media(agenda, Plan(candidates=1), Luck(Random(1), {}), reported.append), reported


def test_a_publisher_is_answered_and_connected() -> None:
    """First the answer, then a candidate; media flows once the answer was sent."""
    world = World()
    agenda, media, reported = beside(world)
    world.open("ann")
    media.react(world.say("ann", Publish("s1")))
    media.react(world.say("ann", TakeConfiguration("s1", "offer", "an offer")))
    agenda.run_until(SECOND)
    assert [type(event) for event in reported] == [DescriptionCreated, CandidateFound]
    media.react(world.report(reported[0]))
    agenda.run_until(2 * SECOND)

    assert [type(event) for event in reported[2:]] == [TracksFound, MediaConnected]


def test_a_player_is_offered_what_it_is_to_be_shown() -> None:
    """The offer names each track after its stream."""
    world = World()
    agenda, media, reported = beside(world)
    world.open("ann", "ben")
    world.publish("ann", "s1")
    media.react(world.say("ben", Play("s1")))
    agenda.run_until(SECOND)

    offer = reported[0]
    assert isinstance(offer, DescriptionCreated)
    assert (offer.type, offer.id_mapping) == ("offer", {"0": "ARDAMSvs1"})


def test_nothing_is_reported_of_a_life_that_is_over() -> None:
    """An answer that was under way when its stream ended is not given."""
    world = World()
    agenda, media, reported = beside(world)
    world.open("ann")
    media.react(world.say("ann", Publish("s1")))
    media.react(world.say("ann", TakeConfiguration("s1", "offer", "an offer")))
    media.react(world.say("ann", Stop("s1")))
    agenda.run_until(SECOND)

    assert reported == []
    assert media.live == {}
