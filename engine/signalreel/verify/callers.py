"""Clients of peer pairs that do as clients do: they read in order, and offer and answer what they have read.

What the server sends to a client waits in its inbox until the client reads that, which may be at any time: so an answer
can be as late as one likes. No answer says to which offer it belongs, hence three things on which clients must be taken
at their word, and which these do: whoever leaves a pair does not answer what it has not read of it; whoever is told
`stop` does not answer what came before; and whoever offers while the other's offer is on its way, and is the one whose
offer stands, does not answer that one.
"""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct

from signalreel.commands import AnyCommand, Join, Leave, TakeCandidate, TakeConfiguration
from signalreel.messages import AnyMessage, Candidate, Description, Error, Start, StopPeer

__all__ = ("STRANGER", "Act", "Around", "Caller", "Unread", "acts_of", "after", "answers_older", "unread_most")

_SDP: Final = "v=0\r\no={} 1\r\n"
_FOUND: Final = "candidate:1 1 udp 1 192.0.2.1 4000 typ host"

_NEWEST: Final = 1  #: an offer, the newest in its pair
_OLDER: Final = 2  #: an offer that another one has replaced
_START: Final = 3
_ANSWER: Final = 4
_CANDIDATE: Final = 5
_STOP: Final = 6

_ANSWERED: Final = frozenset((_NEWEST, _OLDER, _START))

Unread = tuple[tuple[int, str], ...]
"""What waits to be read: what it is, and of which pair."""


class Caller(Struct, frozen=True, array_like=True, gc=False):
    """One client: the pairs that it has joined, those in which it has begun to talk, and what it has not read."""

    joined: tuple[str, ...] = ()
    talking: tuple[str, ...] = ()
    inbox: Unread = ()


STRANGER: Final = Caller()
"""A client that has done nothing yet."""

Around = Mapping[str, Caller]
"""The client of each open session; one that has done nothing yet need not be there."""

Act = tuple[AnyCommand | None, Caller]
"""What a client says, if anything, and what it is like when it has."""


def acts_of(caller: Caller, calls: tuple[str, ...]) -> list[Act]:
    """Give everything that a client may do now."""
    joined, talking, inbox = caller.joined, caller.talking, caller.inbox
    acts: list[Act] = []
    for id in calls:
        if id not in joined:
            entered = Caller((*joined, id), talking, inbox)
            acts += [(Join(id), entered), (Join(id, mode="play"), entered)]
            continue
        acts.append((Leave(id), _out_of(caller, id)))
        if id in talking:
            acts += [(_description(id, "offer"), caller), (TakeCandidate(id, 0, "0", _FOUND), caller)]
    if inbox:
        (what, id), *_ = inbox
        if what in _ANSWERED:
            talks = talking if id in talking else (*talking, id)
            said = _description(id, "offer" if what == _START else "answer")
            acts.append((said, Caller(joined, talks, inbox[1:])))
        else:
            acts.append((None, Caller(joined, talking, inbox[1:])))
    return acts


def _description(id: str, what: str) -> TakeConfiguration:
    return TakeConfiguration(id, what, _SDP.format(what))


def after(
    around: Around,
    session: str,
    caller: Caller | None,
    messages: list[tuple[str, AnyMessage]],
    present: Collection[str],
) -> dict[str, Caller]:
    """Give the clients after one of them has acted, with what that has brought to each of those that are there."""
    now = {id: one for id, one in around.items() if id in present}
    if caller is not None:
        now[session] = caller
    for to, message in messages:
        its = now.get(to, STRANGER)
        match message:
            case Description(id, "offer"):
                now[to] = _with(Caller(its.joined, its.talking, _aged(its.inbox, id)), _NEWEST, id)
                if session in now:
                    own = now[session]
                    now[session] = Caller(own.joined, own.talking, _without_offers(own.inbox, id))
            case Description(id):
                now[to] = _with(its, _ANSWER, id)
            case Candidate(id):
                now[to] = _with(its, _CANDIDATE, id)
            case Start(id):
                now[to] = _with(its, _START, id)
            case StopPeer(id):
                left = _out_of(its, id)
                now[to] = _with(Caller(its.joined, left.talking, left.inbox), _STOP, id)
            case Error() if to == session:
                now[to] = _out_of(its, str(message.stream_id))
            case _:
                pass
    return now


def answers_older(inbox: Unread, said: AnyCommand | None) -> bool:
    """Whether what a client with this inbox says is the answer to an offer that another one has replaced."""
    return type(said) is TakeConfiguration and said.type == "answer" and inbox[0][0] == _OLDER


def unread_most(around: Around) -> int:
    """How much waits to be read by whoever has most."""
    return max([len(caller.inbox) for caller in around.values()], default=0)


def _with(caller: Caller, what: int, id: str) -> Caller:
    return Caller(caller.joined, caller.talking, (*caller.inbox, (what, id)))


def _out_of(caller: Caller, id: str) -> Caller:
    return Caller(
        tuple([one for one in caller.joined if one != id]),
        tuple([one for one in caller.talking if one != id]),
        tuple([unread for unread in caller.inbox if unread[1] != id]),
    )


def _aged(inbox: Unread, id: str) -> Unread:
    return tuple([(_OLDER, id) if unread == (_NEWEST, id) else unread for unread in inbox])


def _without_offers(inbox: Unread, id: str) -> Unread:
    return tuple([unread for unread in inbox if unread not in {(_NEWEST, id), (_OLDER, id)}])
