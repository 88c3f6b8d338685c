"""`signalreel_adapters.media.workers.routing`: who goes where, what is relayed, and what is left of a lost worker."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from signalreel.identifiers import Kind, Reference
from signalreel.step import Detail, PublishTerms, Roster, Source, Transition
from signalreel_adapters.media.moves import Move
from signalreel_adapters.media.workers.routing import RELAY_WORTH, Close, Errand, Follow, Open, Routes

TERMS = PublishTerms(video=True, audio=True, codecs=("VP8",))


def stream(number: int, born: int = 1) -> Reference:
    """A stream's reference."""
    return Reference(Kind.STREAM, "live", f"s{number}", born)


def playback(number: int) -> Reference:
    """A playback's reference."""
    return Reference(Kind.PLAYBACK, "live", f"p{number}/x", 1)


def to(machine: Reference, target: str, detail: Detail | None = None) -> Move:
    """A move."""
    return Move(Transition(machine, "before", target, detail))


def roster(*streams: Reference) -> Roster:
    """What a playback shows."""
    return Roster(tuple(Source(each.id, each.born) for each in streams))


def up(count: int) -> Routes:
    """Routes with every worker there."""
    routes = Routes(count)
    for worker in range(count):
        routes.raise_up(worker)
    return routes


def shown(routes: Routes, number: int, *streams: Reference) -> list[Errand] | None:
    """Have a playback show streams."""
    return routes.route(to(playback(number), "preparing", roster(*streams)))


def published(routes: Routes, *numbers: int) -> None:
    """Have streams published."""
    for number in numbers:
        routes.route(to(stream(number), "preparing", TERMS))


def test_streams_are_spread_and_stay() -> None:
    """Each goes to the worker with the least to do, and its later moves follow it there."""
    routes = up(3)
    published(routes, 1, 2, 3, 4)
    move = to(stream(2), "broadcasting")

    assert [routes.home(stream(number)) for number in (1, 2, 3, 4)] == [0, 1, 2, 0]
    assert routes.route(move) == [Follow(1, move)]
    assert routes.load == (2, 1, 1)


def test_a_playback_goes_to_its_stream() -> None:
    """There nothing needs to be relayed; of several streams the first that somebody has decides."""
    routes = up(2)
    published(routes, 1, 2)

    assert shown(routes, 1, stream(2)) == [Follow(1, to(playback(1), "preparing", roster(stream(2))))]
    assert routes.home(playback(1)) == 1
    assert shown(routes, 2, stream(9), stream(1), stream(2)) == [
        Open(stream(2), 1, 0),
        Follow(0, to(playback(2), "preparing", roster(stream(9), stream(1), stream(2)))),
    ]


def test_a_busy_worker_is_spared() -> None:
    """From the named margin on viewers go elsewhere, over one relay for all of them."""
    routes = up(2)
    published(routes, 1)
    for number in range(1, RELAY_WORTH):
        shown(routes, number, stream(1))
    assert routes.load == (RELAY_WORTH, 0)

    first, second = shown(routes, 100, stream(1)), shown(routes, 101, stream(1))

    assert first is not None
    assert second is not None
    assert first[0] == Open(stream(1), 0, 1)
    assert [type(each) for each in second] == [Follow]
    assert routes.home(playback(101)) == 0  # the margin is not reached any more


def test_a_relay_ends_with_its_last_viewer() -> None:
    """And begins again with the next."""
    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(2), stream(1))
    shown(routes, 2, stream(2), stream(1))
    assert routes.home(playback(1)) == routes.home(playback(2)) == 1

    left = to(playback(1), "playing", roster(stream(2)))
    assert routes.route(left) == [Follow(1, left)]
    over = to(playback(2), "finished")
    assert routes.route(over) == [Follow(1, over), Close(stream(1), 1)]
    again = to(playback(1), "playing", roster(stream(2), stream(1)))
    assert routes.route(again) == [Open(stream(1), 0, 1), Follow(1, again)]


def test_a_relay_ends_with_its_stream() -> None:
    """Once, wherever it is relayed to; players that leave later have nothing to close."""
    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(2), stream(1))
    over = to(stream(1), "finished")

    assert routes.route(over) == [Follow(0, over), Close(stream(1), 1)]
    assert routes.route(over) == []
    gone = to(playback(1), "finished")
    assert routes.route(gone) == [Follow(1, gone)]


def test_a_lost_worker_takes_what_it_had() -> None:
    """And nothing else; what the dead worker held is routed anew when it moves again, but not by moves that end it."""
    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(1))
    shown(routes, 2, stream(2), stream(1))

    assert routes.lose(0) == [stream(1), playback(1)]
    assert routes.load == (0, 2)
    for target in ("finished", "restoring"):
        assert routes.route(to(stream(1), target)) in ([], [Close(stream(1), 1)])
    assert shown(routes, 3, stream(9)) is not None
    assert routes.home(playback(3)) == 1


def test_a_stream_that_is_published_again_is_relayed_to_those_who_stayed() -> None:
    """To the worker that had its viewers all the time, also when it comes to live in that very worker."""
    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(2), stream(1))
    routes.lose(0)
    again = to(stream(1), "preparing", TERMS)

    assert routes.route(again) == [Follow(1, again), Open(stream(1), 1, 1)]
    over = to(stream(1), "finished")
    assert routes.route(over) == [Follow(1, over), Close(stream(1), 1)]

    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(2), stream(1))
    routes.lose(0)
    routes.raise_up(0)
    assert routes.route(again) == [Follow(0, again), Open(stream(1), 0, 1)]


def test_a_stream_that_ends_while_its_worker_is_lost_leaves_no_edge() -> None:
    """Who shows it is told, although there is no origin any more."""
    routes = up(2)
    published(routes, 1, 2)
    shown(routes, 1, stream(2), stream(1))
    routes.lose(0)

    assert routes.route(to(stream(1), "finished")) == [Close(stream(1), 1)]


def test_nobody_is_there() -> None:
    """Without a worker nothing can be begun, and what has ended needs nobody."""
    routes = Routes(2)

    assert routes.route(to(stream(1), "preparing", TERMS)) is None
    assert routes.route(to(stream(1), "finished")) == []


class AnyOrder(RuleBasedStateMachine):
    """Whatever comes in whatever order: machines stay where they are, and relays are what viewers need."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = Routes(3)
        self.up: set[int] = set()
        self.homes: dict[Reference, int] = {}
        self.shows: dict[Reference, tuple[Reference, ...]] = {}
        self.edges: dict[tuple[Reference, int], int | None] = {}  # of workers that live, with their origins

    @initialize()
    def begin(self) -> None:
        """All are there."""
        for worker in range(3):
            self.rise(worker)

    @rule(worker=st.integers(0, 2))
    def rise(self, worker: int) -> None:
        """A worker comes back, if it was away."""
        if worker not in self.up:
            self.up.add(worker)
            self.routes.raise_up(worker)

    @rule(worker=st.integers(0, 2))
    def fall(self, worker: int) -> None:
        """A worker is lost."""
        if worker not in self.up:
            return
        self.up.discard(worker)
        lost = self.routes.lose(worker)
        assert sorted(lost, key=str) == sorted((m for m, home in self.homes.items() if home == worker), key=str)
        for machine in lost:
            del self.homes[machine]
            self.shows.pop(machine, None)
        self.edges = {
            key: None if origin == worker else origin for key, origin in self.edges.items() if key[1] != worker
        }

    @rule(number=st.integers(1, 4))
    def publish(self, number: int) -> None:
        """A stream is published, or moves on."""
        self.perform(to(stream(number), "preparing", TERMS))

    @rule(number=st.integers(1, 5), numbers=st.lists(st.integers(1, 4), unique=True))
    def play(self, number: int, numbers: list[int]) -> None:
        """A playback shows these from now on."""
        self.perform(to(playback(number), "playing", roster(*map(stream, numbers))))
        if playback(number) in self.homes:
            self.shows[playback(number)] = tuple(map(stream, numbers))

    @rule(number=st.integers(1, 4), publishes=st.booleans())
    def finish(self, number: int, publishes: bool) -> None:
        """Something ends."""
        machine = stream(number) if publishes else playback(number)
        self.perform(to(machine, "finished"))
        self.homes.pop(machine, None)
        self.shows.pop(machine, None)
        if publishes:
            self.shows = {
                each: tuple(shown for shown in streams if shown != machine) for each, streams in self.shows.items()
            }

    @precondition(lambda self: not self.up)
    @rule()
    def nobody(self) -> None:
        """Without workers nothing new begins."""
        assert self.routes.route(to(playback(9), "preparing")) is None

    def perform(self, move: Move) -> None:
        """Do as is said, as workers would."""
        for errand in self.routes.route(move) or ():
            if isinstance(errand, Follow):
                machine = errand.move.transition.machine
                assert errand.worker in self.up
                assert self.homes.setdefault(machine, errand.worker) == errand.worker
            elif isinstance(errand, Open):
                key = errand.stream, errand.edge
                assert self.edges.get(key) is None, "a stream is relayed to a worker once"
                assert {errand.origin, errand.edge} <= self.up
                self.edges[key] = errand.origin
            else:
                assert isinstance(errand, Close)
                del self.edges[errand.stream, errand.edge]

    @invariant()
    def relays_are_what_viewers_need(self) -> None:
        """Every viewer has its stream in its own worker or by a relay, and nothing is relayed that nobody views."""
        wanted = {(shown, self.homes[each]) for each, streams in self.shows.items() for shown in streams}
        for shown, worker in wanted:
            home = self.homes.get(shown)
            if home is not None and home != worker:
                assert self.edges.get((shown, worker)) == home
        assert set(self.edges) <= wanted
        load = [sum(home == worker for home in self.homes.values()) for worker in range(3)]
        assert self.routes.load == tuple(load)


TestAnyOrder = pytest.mark.filterwarnings("default")(AnyOrder.TestCase)
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_relay_that_could_not_be_opened_is_opened_for_the_next_player() -> None:
    """It is not taken for one that is there."""
    routes = up(2)
    published(routes, 1, 2)
    opened = Open(stream(2), 1, 0)
    assert opened in (shown(routes, 1, stream(1), stream(2)) or [])
    assert opened not in (shown(routes, 2, stream(1), stream(2)) or [])
    routes.forget(opened)

    assert opened in (shown(routes, 3, stream(1), stream(2)) or [])
