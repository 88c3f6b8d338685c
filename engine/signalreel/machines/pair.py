"""The peer pair: two sessions that call each other under one stream id, the server only relaying.

    empty -> expected     two peers of a pair for many were sent to this id; neither has come yet
          -> waiting      one peer has joined
          -> paired       two have; `start` went to the one that is to offer
          -> offered      an offer was relayed, its answer is awaited
          -> connected    the answer was relayed
          -> dissolved    nobody is left

A description carries no number, so the pair counts: offers relayed to a peer queue up, its answers match them first in,
first out, and an answer is relayed only when it is the one to the newest offer. When both offer, the first joiner's
offer stands. The server never looks into a description.
"""

from typing import Final

from msgspec.structs import replace

from signalreel.commands import GetDebugInfo, Join, Leave, PeerMessage, TakeCandidate, TakeConfiguration
from signalreel.events import DeadlineReached, SessionClosed
from signalreel.identifiers import Kind
from signalreel.machines.checks import (
    access_checks,
    by_another_session,
    by_holder,
    holds_too_many,
    is_answer,
    is_offer,
    lives_as,
)
from signalreel.machines.context import Context
from signalreel.machines.notices import CallSettled, PeersExpected, PeersNotExpected
from signalreel.machines.questions import hidden, tell_debug_info
from signalreel.machines.shapes import Call, Pair, PairState
from signalreel.machines.table import SAME, Table, ignore, otherwise, refuse, row, unreachable
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
from signalreel.refusals import HIGH_RESOURCE_USAGE, NO_PEER_ASSOCIATED_BEFORE, NO_SPACE_FOR_NEW_PEER, STREAM_ID_IN_USE

__all__ = ("CALLS_MAX", "PAIR")

PLAY_MODE: Final = "play"
"""The mode of a peer that only wants to play; it never offers. Any other mode means both, and is kept as that."""

BOTH_MODE: Final = "both"

CALLS_MAX: Final = 64
"""Calls of one waiting peer that nobody has come to yet. Each stands for a pair that no session holds, so these have a
bound of their own; each caller has one at a time."""


EMPTY, EXPECTED, WAITING, PAIRED, OFFERED, CONNECTED, DISSOLVED = PairState


def other_peer(pair: Pair, context: Context) -> str:
    """The peer that the record's session is not."""
    first, second = pair.sessions
    return second if first == context.session else first


# ---------------------------------------------------------------- join


def mode_of(join: Join) -> str:
    """What a peer joined for: one of two words, however long the client's own is."""
    return PLAY_MODE if join.mode == PLAY_MODE else BOTH_MODE


def greet(pair: Pair, join: Join, context: Context) -> Pair:
    """Welcome the first peer."""
    context.send(context.session, Notification("joined", stream_id=pair.id))
    return replace(pair, sessions=(context.session,), modes=(mode_of(join),))


def greet_again(pair: Pair, join: Join, context: Context) -> None:
    """Welcome a peer that is in already: one socket never takes both places."""
    context.send(context.session, Notification("joined", stream_id=pair.id))


def is_for_many(pair: Pair, join: Join, context: Context) -> bool:
    """Whether the call is to go on under an id of its own, so that the waiting peer can be called by others too.

    One that was sent to such an id joins it with the same wish, and is called there.
    """
    return join.multi_peer and not pair.drawn_for and bool(context.record.ids)


def was_sent_before(pair: Pair, join: Join, context: Context) -> bool:
    """Whether the session was sent to an id to which neither of the two has come yet."""
    return is_for_many(pair, join, context) and any(call.session == context.session for call in pair.calls)


def calls_too_many(pair: Pair, join: Join, context: Context) -> bool:
    """Whether the waiting peer was told of as many calls that nobody has come to as it may be."""
    return is_for_many(pair, join, context) and len(pair.calls) >= CALLS_MAX


def send_again(pair: Pair, join: Join, context: Context) -> None:
    """Send a peer where it was sent before. The waiting one knows already."""
    context.send(
        context.session, next(ConnectWithNewId(call.id) for call in pair.calls if call.session == context.session)
    )


def connect_elsewhere(pair: Pair, join: Join, context: Context) -> Pair:
    """Send both peers to an id of their own; the waiting one goes on waiting here as well."""
    id = context.fresh_id()
    context.send(context.session, ConnectWithNewId(id))
    context.send(pair.sessions[0], StartNewConnection(id))
    context.notify(Kind.PAIR, id, PeersExpected(pair.id))
    return replace(pair, calls=(*pair.calls, Call(id, context.session)))


def expect_peers(pair: Pair, notice: PeersExpected, context: Context) -> Pair:
    """Wait a while for the two who were sent here."""
    return replace(pair, drawn_for=notice.called, **context.timer(context.settings.publish_timeout_ms))


def greet_expected(pair: Pair, join: Join, context: Context) -> Pair:
    """Welcome the first of the two who were sent here."""
    context.notify(Kind.PAIR, pair.drawn_for, CallSettled(pair.id))
    return replace(greet(pair, join, context), wake_at=0)


def give_up_expecting(pair: Pair, event: DeadlineReached, context: Context) -> None:
    """Neither of the two has come."""
    context.notify(Kind.PAIR, pair.drawn_for, CallSettled(pair.id))


def settle_call(pair: Pair, notice: CallSettled, context: Context) -> Pair:
    """Count a call no longer to which somebody has come, or nobody in time."""
    return replace(pair, calls=tuple(call for call in pair.calls if call.id != notice.id))


def pair_up(pair: Pair, join: Join, context: Context) -> Pair:
    """Welcome the second peer, and have the one offer that may: the first, unless it only plays."""
    joined = Notification("joined", stream_id=pair.id)
    if pair.modes[0] != PLAY_MODE:
        context.send(pair.sessions[0], Start(pair.id))
        context.send(context.session, joined)
    else:
        context.send(context.session, joined)
        if join.mode != PLAY_MODE:
            context.send(context.session, Start(pair.id))
    return replace(pair, sessions=(*pair.sessions, context.session), modes=(*pair.modes, mode_of(join)))


# ---------------------------------------------------------------- descriptions


def first_joiner_overrides(pair: Pair, offer: TakeConfiguration, context: Context) -> bool:
    """Whether the first joiner offers while the second one's offer is out."""
    return is_offer(pair, offer, context) and pair.offerer != context.session and context.session == pair.sessions[0]


def offers_cross(pair: Pair, offer: TakeConfiguration, context: Context) -> bool:
    """Whether a peer offers while the other one's offer is out."""
    return is_offer(pair, offer, context) and pair.offerer != context.session


def owes_too_many(pair: Pair, offer: TakeConfiguration, context: Context) -> bool:
    """Whether the other peer already owes as many answers as one may."""
    return is_offer(pair, offer, context) and pair.owed >= context.settings.offers_owed_max


def answers_newest(pair: Pair, answer: TakeConfiguration, context: Context) -> bool:
    """Whether this is the answer to the newest offer."""
    return is_answer(pair, answer, context) and context.session != pair.offerer and pair.owed == 1


def answers_older(pair: Pair, answer: TakeConfiguration, context: Context) -> bool:
    """Whether this is the answer to an offer that a newer one has replaced."""
    return is_answer(pair, answer, context) and context.session != pair.offerer and pair.owed > 1


def relay_offer(pair: Pair, offer: TakeConfiguration, context: Context) -> Pair:
    """Relay an offer that stands alone: whatever was owed before no longer counts.

    It carries an empty `idMapping`, without which the JS SDK throws when the first track arrives.
    """
    context.send(other_peer(pair, context), Description(pair.id, offer.type, offer.sdp, id_mapping={}))
    return replace(pair, offerer=context.session, owed=1)


def relay_newer_offer(pair: Pair, offer: TakeConfiguration, context: Context) -> Pair:
    """Relay an offer that replaces the same peer's offer before it."""
    context.send(other_peer(pair, context), Description(pair.id, offer.type, offer.sdp, id_mapping={}))
    return replace(pair, owed=pair.owed + 1)


def relay_answer(pair: Pair, answer: TakeConfiguration, context: Context) -> Pair:
    """Relay the answer to the newest offer."""
    context.send(other_peer(pair, context), Description(pair.id, answer.type, answer.sdp))
    return replace(pair, offerer="", owed=0)


def count_answer(pair: Pair, answer: TakeConfiguration, context: Context) -> Pair:
    """Drop an answer to an offer that was replaced."""
    return replace(pair, owed=pair.owed - 1)


def relay_candidate(pair: Pair, candidate: TakeCandidate, context: Context) -> None:
    """Relay a candidate."""
    relayed = Candidate(pair.id, candidate.label, candidate.id, candidate.candidate)
    context.send(other_peer(pair, context), relayed)


def relay_message(pair: Pair, said: PeerMessage, context: Context) -> None:
    """Relay what one peer says to the other, as it came."""
    context.send(other_peer(pair, context), RelayedMessage(pair.id, said.definition, said.data))


# ---------------------------------------------------------------- leave


def leave_other(pair: Pair, input: Leave | SessionClosed, context: Context) -> Pair:
    """One of two leaves: the other is told to stop, and waits for the next."""
    left = other_peer(pair, context)
    context.send(left, StopPeer(pair.id))
    if isinstance(input, Leave):
        context.send(context.session, Notification("leaved", stream_id=pair.id))
    mode = pair.modes[pair.sessions.index(left)]
    return replace(pair, sessions=(left,), modes=(mode,), offerer="", owed=0)


def leave_last(pair: Pair, input: Leave | SessionClosed, context: Context) -> Pair:
    """The only peer leaves."""
    if isinstance(input, Leave):
        context.send(context.session, Notification("leaved", stream_id=pair.id))
    for call in pair.calls:
        context.notify(Kind.PAIR, call.id, PeersNotExpected())
    return replace(pair, sessions=(), modes=(), calls=())


# ---------------------------------------------------------------- the table

BOTH = (PAIRED, OFFERED, CONNECTED)
ALL = (EMPTY, EXPECTED, WAITING, *BOTH)

PAIR: Final = Table(
    Kind.PAIR,
    Pair,
    PairState,
    initial=EMPTY,
    finals=(DISSOLVED,),
    inputs=(
        Join,
        TakeConfiguration,
        TakeCandidate,
        PeerMessage,
        Leave,
        GetDebugInfo,
        SessionClosed,
        PeersExpected,
        PeersNotExpected,
        CallSettled,
        DeadlineReached,
    ),
    rows=[
        *access_checks(Join, ALL),
        refuse(Join, EMPTY, lives_as(Kind.STREAM, Kind.ROOM), STREAM_ID_IN_USE),
        refuse(Join, EMPTY, holds_too_many, HIGH_RESOURCE_USAGE),
        row(Join, EMPTY, otherwise, greet, WAITING),
        row(Join, WAITING, by_holder, greet_again),
        refuse(Join, WAITING, holds_too_many, HIGH_RESOURCE_USAGE),
        row(Join, WAITING, was_sent_before, send_again),
        refuse(Join, WAITING, calls_too_many, HIGH_RESOURCE_USAGE),
        row(Join, WAITING, is_for_many, connect_elsewhere),
        row(Join, WAITING, otherwise, pair_up, PAIRED),
        refuse(Join, EXPECTED, holds_too_many, HIGH_RESOURCE_USAGE),
        row(Join, EXPECTED, otherwise, greet_expected, WAITING),
        row(Join, BOTH, by_holder, greet_again),
        refuse(Join, BOTH, otherwise, NO_SPACE_FOR_NEW_PEER),
        refuse(TakeConfiguration, (EMPTY, EXPECTED, WAITING), otherwise, NO_PEER_ASSOCIATED_BEFORE),
        refuse(TakeConfiguration, BOTH, by_another_session, NO_PEER_ASSOCIATED_BEFORE),
        row(TakeConfiguration, (PAIRED, CONNECTED), is_offer, relay_offer, OFFERED),
        row(TakeConfiguration, OFFERED, first_joiner_overrides, relay_offer, SAME),
        row(TakeConfiguration, OFFERED, offers_cross, None),
        row(TakeConfiguration, OFFERED, owes_too_many, None),
        row(TakeConfiguration, OFFERED, is_offer, relay_newer_offer, SAME),
        row(TakeConfiguration, OFFERED, answers_newest, relay_answer, CONNECTED),
        row(TakeConfiguration, OFFERED, answers_older, count_answer),
        ignore(TakeConfiguration, BOTH, because="an answer nobody waits for, or no description at all"),
        refuse(TakeCandidate, (EXPECTED, WAITING), otherwise, NO_PEER_ASSOCIATED_BEFORE),
        unreachable(TakeCandidate, EMPTY, because="a candidate goes to a pair only while it lives"),
        row(TakeCandidate, BOTH, by_holder, relay_candidate, SAME),
        refuse(TakeCandidate, BOTH, otherwise, NO_PEER_ASSOCIATED_BEFORE),
        row(PeerMessage, BOTH, by_holder, relay_message),
        refuse(PeerMessage, ALL, otherwise, NO_PEER_ASSOCIATED_BEFORE),
        hidden(GetDebugInfo, (EXPECTED, WAITING, *BOTH)),
        row(GetDebugInfo, (EXPECTED, WAITING, *BOTH), otherwise, tell_debug_info),
        unreachable(GetDebugInfo, EMPTY, because="asked of the stream when there is no such pair"),
        row(Leave, WAITING, by_holder, leave_last, DISSOLVED),
        row(Leave, BOTH, by_holder, leave_other, WAITING),
        refuse(Leave, ALL, otherwise, NO_PEER_ASSOCIATED_BEFORE),
        row(SessionClosed, WAITING, otherwise, leave_last, DISSOLVED),
        row(SessionClosed, BOTH, otherwise, leave_other, WAITING),
        unreachable(SessionClosed, (EMPTY, EXPECTED), because="nobody is in it"),
        row(PeersExpected, EMPTY, otherwise, expect_peers, EXPECTED),
        unreachable(PeersExpected, (EXPECTED, WAITING, *BOTH), because="the id was drawn in this very step"),
        row(PeersNotExpected, EXPECTED, otherwise, None, DISSOLVED),
        unreachable(PeersNotExpected, (EMPTY, WAITING, *BOTH), because="a call that somebody came to is settled"),
        row(CallSettled, (WAITING, *BOTH), otherwise, settle_call),
        unreachable(CallSettled, EMPTY, because="when the pair that was called goes, so do its calls"),
        unreachable(CallSettled, EXPECTED, because="an id that was drawn is not called as one for many"),
        row(DeadlineReached, EXPECTED, otherwise, give_up_expecting, DISSOLVED),
        unreachable(DeadlineReached, (EMPTY, WAITING, *BOTH), because="only a pair that expects peers has a timer"),
    ],
)
