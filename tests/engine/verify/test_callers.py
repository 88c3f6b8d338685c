"""`signalreel.verify.callers`: clients that read in order, and answer what they have read."""

from signalreel.commands import Join, Leave, TakeCandidate, TakeConfiguration
from signalreel.messages import Candidate, Description, Error, Notification, Start, StopPeer
from signalreel.verify.callers import STRANGER, Caller, acts_of, after, answers_older, unread_most

OFFER = Description("p", "offer", "sdp")
IN_CALL = Caller(("p",), ("p",))


def said(caller: Caller) -> list[str]:
    """What a client may do now, in words."""
    words: list[str] = []
    for command, _ in acts_of(caller, ("p",)):
        match command:
            case None:
                words.append("read")
            case TakeConfiguration():
                words.append(command.type)
            case Join():
                words.append(f"join {command.mode}")
            case _:
                words.append("leave" if isinstance(command, Leave) else type(command).__name__)
    return words


def test_a_stranger_can_only_join() -> None:
    """For both, or to play alone."""
    assert said(STRANGER) == ["join both", "join play"]


def test_a_client_offers_when_it_is_told_to_start_and_answers_an_offer() -> None:
    """Not before it has read that."""
    joined = Caller(("p",))
    started = after({"a": joined}, "b", Caller(("p",)), [("a", Start("p"))], ["a", "b"])
    offered = after({"a": joined}, "b", Caller(("p",)), [("a", OFFER)], ["a", "b"])

    assert said(joined) == ["leave"]
    assert said(started["a"]) == ["leave", "offer"]
    assert said(offered["a"]) == ["leave", "answer"]
    assert said(IN_CALL) == ["leave", "offer", TakeCandidate.__name__]


def test_what_waits_is_read_in_order() -> None:
    """What it has nothing to say to as well; the rest waits on."""
    around = after({}, "b", IN_CALL, [("a", Candidate("p", 0, "0", "")), ("a", OFFER)], ["a", "b"])
    (_, read) = acts_of(around["a"], ())[-1]

    assert unread_most(around) == 2
    assert acts_of(around["a"], ())[-1][0] is None
    assert isinstance(acts_of(read, ())[-1][0], TakeConfiguration)


def test_an_offer_makes_those_before_it_old() -> None:
    """So it is known, when an answer comes, that it is to an offer which was replaced."""
    once = after({}, "b", IN_CALL, [("a", OFFER)], ["a", "b"])
    twice = after(once, "b", IN_CALL, [("a", OFFER)], ["a", "b"])
    answer = TakeConfiguration("p", "answer", "sdp")

    assert not answers_older(once["a"].inbox, answer)
    assert answers_older(twice["a"].inbox, answer)
    assert not answers_older(twice["a"].inbox, TakeConfiguration("p", "offer", "sdp"))


def test_whose_offer_stands_does_not_answer_the_one_that_crossed_it() -> None:
    """It was relayed to the other, so that one answers."""
    once = after({}, "b", IN_CALL, [("a", OFFER)], ["a", "b"])
    crossed = after(once, "a", once["a"], [("b", OFFER)], ["a", "b"])

    assert crossed["a"].inbox == ()
    assert len(crossed["b"].inbox) == 1


def test_who_leaves_or_is_told_to_stop_answers_nothing_any_more() -> None:
    """What was on its way is of a call that is over."""
    once = after({}, "b", IN_CALL, [("a", OFFER)], ["a", "b"])
    stopped = after(once, "b", None, [("a", StopPeer("p"))], ["a"])
    leaving = next(caller for command, caller in acts_of(Caller(("p",), (), once["a"].inbox), ("p",)) if command)
    refused = after({}, "a", Caller(("p",)), [("a", Error("x", stream_id="p"))], ["a"])

    assert list(stopped) == ["a"]
    assert [what for what, _ in stopped["a"].inbox] != [what for what, _ in once["a"].inbox]
    assert leaving == STRANGER
    assert refused["a"] == STRANGER


def test_what_changes_nothing_for_a_client_does_not_wait() -> None:
    """A notification is read at once."""
    assert unread_most(after({}, "a", Caller(("p",)), [("a", Notification("joined"))], ["a"])) == 0
