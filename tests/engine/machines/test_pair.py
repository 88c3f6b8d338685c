"""The peer pair: two sessions that call each other, the server relaying."""

import pytest

from signalreel.commands import Join, JoinRoom, Leave, PeerMessage, Stop, TakeCandidate, TakeConfiguration
from signalreel.events import RunStarted
from signalreel.identifiers import Kind
from signalreel.machines.pair import CALLS_MAX
from signalreel.messages import (
    Candidate,
    ConnectWithNewId,
    Description,
    Notification,
    RelayedMessage,
    Start,
    StartNewConnection,
    StopPeer,
)
from signalreel.record import Grant
from signalreel.refusals import (
    HIGH_RESOURCE_USAGE,
    NO_PEER_ASSOCIATED_BEFORE,
    NO_SPACE_FOR_NEW_PEER,
    STREAM_ID_IN_USE,
    UNAUTHORIZED_ACCESS,
    USER_BLOCKED,
)
from signalreel.settings import Settings
from signalreel.step import Step
from tests.engine.world import World, moves, refusal

JOINED = Notification("joined", stream_id="p")
LEAVED = Notification("leaved", stream_id="p")
NO_PEER = refusal(NO_PEER_ASSOCIATED_BEFORE, stream_id="p")


def world_of(*joining: str, settings: Settings | None = None) -> World:
    """A world with three sessions, of which some join the pair in turn."""
    world = World(settings)
    world.open("a", "b", "c")
    for session in joining:
        world.say(session, Join("p"))
    return world


def offer(world: World, session: str, sdp: str) -> Step:
    """Have a peer offer."""
    return world.say(session, TakeConfiguration("p", "offer", sdp))


def answer(world: World, session: str, sdp: str) -> Step:
    """Have a peer answer."""
    return world.say(session, TakeConfiguration("p", "answer", sdp))


def test_a_call_goes_as_the_page_has_it() -> None:
    """Join, join, start to the first, offer, answer and candidates relayed, leave: message by message."""
    world = world_of()
    steps = [
        world.say("a", Join("p")),
        world.say("b", Join("p")),
        offer(world, "a", "the offer"),
        answer(world, "b", "the answer"),
        world.say("a", TakeCandidate("p", 0, "0", "a's")),
        world.say("b", TakeCandidate("p", 1, "1", "b's")),
        world.say("b", Leave("p")),
        world.say("a", Leave("p")),
    ]

    assert [message for step in steps for message in step.messages] == [
        ("a", JOINED),
        ("a", Start("p")),
        ("b", JOINED),
        ("b", Description("p", "offer", "the offer", id_mapping={})),
        ("a", Description("p", "answer", "the answer")),
        ("b", Candidate("p", 0, "0", "a's")),
        ("a", Candidate("p", 1, "1", "b's")),
        ("a", StopPeer("p")),
        ("b", LEAVED),
        ("a", LEAVED),
    ]
    assert [move for step in steps for move in moves(step)] == [
        ("pair", "p", "empty", "waiting"),
        ("pair", "p", "waiting", "paired"),
        ("pair", "p", "paired", "offered"),
        ("pair", "p", "offered", "connected"),
        ("pair", "p", "connected", "connected"),
        ("pair", "p", "connected", "connected"),
        ("pair", "p", "connected", "waiting"),
        ("pair", "p", "waiting", "dissolved"),
    ]
    assert world.lives() == []


@pytest.mark.parametrize(
    ("first", "second", "started"),
    [
        ("both", "both", ["a"]),
        ("both", "play", ["a"]),
        ("play", "both", ["b"]),
        ("play", "play", []),
        ("play or both", "both", ["a"]),
        ("", "play", ["a"]),
    ],
)
def test_a_peer_that_only_plays_never_gets_start(first: str, second: str, started: list[str]) -> None:
    """The other one offers, whoever joined first; two that only play wait. An unknown mode means both."""
    world = world_of()
    world.say("a", Join("p", mode=first))

    step = world.say("b", Join("p", mode=second))

    assert [to for to, message in step.messages if isinstance(message, Start)] == started
    assert ("b", JOINED) in step.messages
    assert world.state(Kind.PAIR, "p") == "paired"


def test_who_stays_keeps_its_mode() -> None:
    """The one that only plays stays behind; the next one to come offers."""
    world = world_of()
    world.say("a", Join("p"))
    world.say("b", Join("p", mode="play"))
    world.say("a", Leave("p"))

    assert world.say("c", Join("p")).messages == [("c", JOINED), ("c", Start("p"))]


def test_a_third_peer_finds_no_space() -> None:
    """NoSpaceForNewPeer in every state of a pair of two; the two hear nothing of it."""
    world = world_of("a", "b")
    answers = [world.say("c", Join("p")).messages]
    offer(world, "a", "o")
    answers.append(world.say("c", Join("p")).messages)
    answer(world, "b", "a")
    answers.append(world.say("c", Join("p")).messages)

    assert answers == [[("c", refusal(NO_SPACE_FOR_NEW_PEER, stream_id="p"))]] * 3


def test_one_socket_never_takes_both_places() -> None:
    """A peer that joins again is greeted, alone or not, and the place stays free or taken as it was."""
    world = world_of("a")

    again = world.say("a", Join("p"))
    second = world.say("b", Join("p"))
    once_more = [world.say(session, Join("p")) for session in ("a", "b")]

    assert (again.messages, moves(again)) == ([("a", JOINED)], [])
    assert second.messages == [("a", Start("p")), ("b", JOINED)]
    assert [(step.messages, moves(step)) for step in once_more] == [([("a", JOINED)], []), ([("b", JOINED)], [])]


def test_joining_needs_the_grant_and_an_id_that_is_free() -> None:
    """The order of checks of join: access, blocks, then whether the id is something else already."""
    world = world_of()
    world.say("b", JoinRoom("p"))
    denied, blocked = Grant(allowed=False), Grant(allowed=False, refusal=USER_BLOCKED.definition)

    answers = [world.say("a", Join("p"), grant=grant).messages for grant in (denied, blocked, None)]

    assert answers == [
        [("a", refusal(UNAUTHORIZED_ACCESS, stream_id="p"))],
        [("a", refusal(USER_BLOCKED, stream_id="p"))],
        [("a", refusal(STREAM_ID_IN_USE, stream_id="p"))],
    ]


@pytest.mark.parametrize("joined", [(), ("a",), ("a", "b")])
def test_there_is_no_peer_where_one_is_not_of_two(joined: tuple[str, ...]) -> None:
    """no_peer_associated_before: nobody joined, one is alone, or the session is neither of the two."""
    world = world_of(*joined)
    sender = "c" if len(joined) != 1 else "a"

    refused = [offer(world, sender, "o").messages]
    if joined:
        refused.append(answer(world, sender, "a").messages)
        refused.append(world.say(sender, TakeCandidate("p", 0, "0", "x")).messages)
    refused.append(world.say("c", Leave("p")).messages)

    assert refused == [[(sender, NO_PEER)]] * (len(refused) - 1) + [[("c", NO_PEER)]]


def test_a_candidate_after_the_end_is_ignored() -> None:
    """Trickling goes on for a moment after a call; that is no error."""
    world = world_of("a", "b")
    world.say("b", Leave("p"))
    world.say("a", Leave("p"))

    step = world.say("a", TakeCandidate("p", 0, "0", "late"))

    assert (step.messages, step.refused) == ([], "")


# ---------------------------------------------------------------- offers that cross or replace one another


def test_an_answer_to_a_replaced_offer_is_dropped() -> None:
    """Offers queue up; answers match them first in, first out; only the answer to the newest one is relayed."""
    world = world_of("a", "b")
    offer(world, "a", "first")
    offer(world, "a", "second")

    to_first = answer(world, "b", "to the first")
    to_second = answer(world, "b", "to the second")
    to_nothing = answer(world, "b", "to nothing")

    assert (to_first.messages, moves(to_first)) == ([], [])
    assert to_second.messages == [("a", Description("p", "answer", "to the second"))]
    assert moves(to_second) == [("pair", "p", "offered", "connected")]
    assert (to_nothing.messages, to_nothing.refused) == ([], "")


def test_when_both_offer_the_first_joiners_offer_stands() -> None:
    """Glare: the second joiner's offer is dropped while the first one's is out."""
    world = world_of("a", "b")
    offer(world, "a", "a's")

    crossed = offer(world, "b", "b's")
    answered = answer(world, "b", "to a's")

    assert (crossed.messages, moves(crossed), crossed.refused) == ([], [], "")
    assert answered.messages == [("a", Description("p", "answer", "to a's"))]


def test_the_first_joiner_overrides_the_seconds_offer() -> None:
    """Glare the other way round: the first joiner's later offer replaces the second one's, whose answer is dropped."""
    world = world_of("a", "b")
    offer(world, "b", "b's")

    overriding = offer(world, "a", "a's")
    late = answer(world, "a", "to b's")
    answered = answer(world, "b", "to a's")

    assert overriding.messages == [("b", Description("p", "offer", "a's", id_mapping={}))]
    assert moves(overriding) == [("pair", "p", "offered", "offered")]
    assert late.messages == []
    assert answered.messages == [("a", Description("p", "answer", "to a's"))]


def test_offers_that_are_owed_an_answer_are_bounded() -> None:
    """At the bound further offers are dropped until one is answered; the answers to the others still count."""
    world = world_of("a", "b", settings=Settings(offers_owed_max=2))

    offers = [offer(world, "a", text).messages for text in ("one", "two", "three")]
    answers = [answer(world, "b", text).messages for text in ("to one", "to two")]
    next_one = offer(world, "a", "four").messages

    assert offers == [
        [("b", Description("p", "offer", "one", id_mapping={}))],
        [("b", Description("p", "offer", "two", id_mapping={}))],
        [],
    ]
    assert answers == [[], [("a", Description("p", "answer", "to two"))]]
    assert next_one == [("b", Description("p", "offer", "four", id_mapping={}))]


def test_either_peer_renegotiates_once_connected() -> None:
    """After the first answer, whoever offers is relayed and answered by the other."""
    world = world_of("a", "b")
    offer(world, "a", "o")
    answer(world, "b", "a")

    assert offer(world, "b", "again").messages == [("a", Description("p", "offer", "again", id_mapping={}))]
    assert answer(world, "a", "yes").messages == [("b", Description("p", "answer", "yes"))]


def test_one_does_not_answer_oneself() -> None:
    """An answer by the peer whose own offer is out, or before any offer, is let pass; so is no description at all."""
    world = world_of("a", "b")
    passed = [answer(world, "a", "early")]
    offer(world, "a", "o")
    passed += [answer(world, "a", "own"), world.say("b", TakeConfiguration("p", "rollback", ""))]

    assert [(step.messages, step.transitions, step.refused) for step in passed] == [([], [], "")] * 3


def test_descriptions_are_relayed_unread() -> None:
    """The server never looks into a description or candidate of a pair, whatever it holds."""
    world = world_of("a", "b")
    anything = "\x00 not SDP \U0001f600 " * 100

    assert offer(world, "a", anything).messages == [("b", Description("p", "offer", anything, id_mapping={}))]


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize("leaver", ["a", "b"])
@pytest.mark.parametrize("closes", [False, True])
def test_either_leaves_and_the_other_waits(leaver: str, closes: bool) -> None:
    """The other is told to stop and gets `start` for the next peer; a socket that closed is told nothing."""
    world = world_of("a", "b")
    offer(world, "a", "o")
    other = "b" if leaver == "a" else "a"

    left = world.close(leaver) if closes else world.say(leaver, Leave("p"))
    next_one = world.say("c", Join("p"))

    goodbye = [] if closes else [(leaver, LEAVED)]
    assert left.messages == [(other, StopPeer("p")), *goodbye]
    assert moves(left) == [("pair", "p", "offered", "waiting")]
    assert next_one.messages == [(other, Start("p")), ("c", JOINED)]


def test_who_left_can_come_back() -> None:
    """NoSpaceForNewPeer is for a third peer; whoever left and joins again takes the free place."""
    world = world_of("a", "b")
    offer(world, "a", "o")
    world.say("a", Leave("p"))

    back = world.say("a", Join("p"))
    asked = offer(world, "b", "anew")
    stale = answer(world, "b", "to the offer before")
    answered = answer(world, "a", "yes")

    assert back.messages == [("b", Start("p")), ("a", JOINED)]
    assert asked.messages == [("a", Description("p", "offer", "anew", id_mapping={}))]
    assert stale.messages == []
    assert answered.messages == [("b", Description("p", "answer", "yes"))]


def test_a_pair_is_gone_with_its_last_peer() -> None:
    """Contract 14: the id is anyone's again, as anything, when the last session closes."""
    world = world_of("a")

    closed = world.close("a")

    assert (closed.messages, moves(closed)) == ([], [("pair", "p", "waiting", "dissolved")])
    world.publish("b", "p")
    assert world.state(Kind.STREAM, "p") == "broadcasting"


def test_stop_is_no_leave() -> None:
    """`stop` ends what is published or played; a pair is left with `leave`."""
    world = world_of("a", "b")

    step = world.say("a", Stop("p"))

    assert (step.messages, moves(step)) == ([], [])


def many_world() -> tuple[World, str]:
    """A pair whose waiting peer is called by one of many, and the id that was drawn for the two."""
    world = World()
    world.open("camera", "viewer", "second")
    world.say("camera", Join("cam"))
    step = world.say("viewer", Join("cam", multi_peer=True, mode="play"))
    return world, step.record.ids[0]


def test_one_of_many_calls_under_an_id_of_its_own() -> None:
    """The joiner and the one that waits are sent to a fresh id; the latter goes on waiting for others."""
    world, id = many_world()
    step = world.steps[-1]

    assert step.messages == [("viewer", ConnectWithNewId(id)), ("camera", StartNewConnection(id))]
    assert moves(step) == [("pair", id, "empty", "expected")]
    assert world.lives() == [("pair", "cam", "waiting"), ("pair", id, "expected")]


@pytest.mark.parametrize("order", [("viewer", "camera"), ("camera", "viewer")])
def test_they_meet_there_in_either_order(order: tuple[str, str]) -> None:
    """The SDK joins the new id with the same wish as before; it is not sent on a second time."""
    world, id = many_world()
    joins = {"viewer": Join(id, multi_peer=True, mode="play"), "camera": Join(id)}
    world.say(order[0], joins[order[0]])
    step = world.say(order[1], joins[order[1]])

    assert (order[1], Notification("joined", stream_id=id)) in step.messages
    assert ("camera", Start(id)) in step.messages
    assert world.state(Kind.PAIR, id) == "paired"
    assert world.state(Kind.PAIR, "cam") == "waiting"


def test_each_of_many_gets_another_id() -> None:
    """So the one that waits can be called by several at once."""
    world, first = many_world()
    step = world.say("second", Join("cam", multi_peer=True))

    assert step.record.ids[0] != first
    assert step.messages == [
        ("second", ConnectWithNewId(step.record.ids[0])),
        ("camera", StartNewConnection(step.record.ids[0])),
    ]


def test_an_id_that_nobody_comes_to_is_let_go() -> None:
    """After the time that a publisher has; nobody is told."""
    world, id = many_world()
    step = world.wake()

    assert step.messages == []
    assert moves(step) == [("pair", id, "expected", "dissolved")]


def test_a_peer_that_calls_again_is_sent_to_the_same_id() -> None:
    """So one session has one call at a time, however often it asks; the one that waits is told once."""
    world, id = many_world()
    steps = [world.say("viewer", Join("cam", multi_peer=True)) for _ in range(200)]

    assert {repr(step.messages) for step in steps} == {repr([("viewer", ConnectWithNewId(id))])}
    assert world.lives() == [("pair", "cam", "waiting"), ("pair", id, "expected")]


@pytest.mark.parametrize("settled", ["somebody comes", "nobody comes"])
def test_a_call_that_is_settled_can_be_made_anew(settled: str) -> None:
    """Whether somebody came to its id or not."""
    world, id = many_world()
    if settled == "somebody comes":
        world.say("camera", Join(id))
    else:
        world.wake()
    step = world.say("viewer", Join("cam", multi_peer=True))

    assert step.messages[0] == ("viewer", ConnectWithNewId(step.record.ids[0]))
    assert step.record.ids[0] != id


def test_calls_that_nobody_came_to_are_bounded() -> None:
    """No session holds such a pair, so what a session may hold does not bound them."""
    world = World()
    world.open("camera")
    world.say("camera", Join("cam"))
    callers = [f"caller-{number}" for number in range(CALLS_MAX + 1)]
    world.open(*callers)
    steps = [world.say(caller, Join("cam", multi_peer=True)) for caller in callers]
    refused = [step.refused for step in steps]
    between = len(world.lives())
    world.close("camera")

    assert refused == [""] * CALLS_MAX + [HIGH_RESOURCE_USAGE.definition]
    assert (between, world.lives()) == (1 + CALLS_MAX, [])


def test_a_call_is_no_longer_expected_when_who_was_called_leaves() -> None:
    """Nothing is left of either; whoever comes to the drawn id later begins anew there."""
    world, id = many_world()
    world.say("camera", Leave("cam"))
    between = world.lives()
    world.say("viewer", Join(id))

    assert (between, world.lives()) == ([], [("pair", id, "waiting")])


def test_a_new_run_expects_nobody() -> None:
    """Whoever was sent somewhere is gone with the run before."""
    world, _ = many_world()
    world.report(RunStarted())

    assert world.lives() == []


def test_a_call_goes_on_when_another_takes_the_place() -> None:
    """A peer that does not call as one of many pairs with the one that waits, and the call stands all the same."""
    world, id = many_world()
    world.say("second", Join("cam"))
    world.say("viewer", Join(id, multi_peer=True))
    world.say("camera", Join(id))

    assert world.lives() == [("pair", "cam", "paired"), ("pair", id, "paired")]


def test_peers_talk_past_the_protocol() -> None:
    """Relayed as it came, to the other one alone; without another there is none to talk to."""
    world = World()
    world.open("alice", "bob", "mallory")
    world.say("alice", Join("p"))
    world.say("bob", Join("p"))
    step = world.say("bob", PeerMessage("p", "zoom", {"to": [1, 2.5, None]}))

    assert step.messages == [("alice", RelayedMessage("p", "zoom", {"to": [1, 2.5, None]}))]
    for session, id in (("mallory", "p"), ("alice", "nothing")):
        refused = world.say(session, PeerMessage(id, "zoom"))
        assert refused.messages == [(session, refusal(NO_PEER_ASSOCIATED_BEFORE, stream_id=id))]
