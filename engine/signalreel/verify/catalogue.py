"""The invariants by name: what must hold after every record, in a sentence, and where it is promised."""

from typing import Final

from msgspec import Struct

__all__ = ("INVARIANTS", "Invariant", "Violation")


class Invariant(Struct, frozen=True):
    """Something that must hold, whatever happened before."""

    name: str
    promised: str  #: the part of the protocol, or the rule of this server, that it follows from
    sentence: str


class Violation(Struct, frozen=True):
    """An invariant that does not hold."""

    invariant: str
    seq: int  #: after which record
    subject: str  #: what it is about: `stream live/s1`
    told: str  #: what is wrong, with nothing in it that may not be shown

    def __str__(self) -> str:
        return f"{self.invariant} is broken after record {self.seq}: {self.subject}: {self.told}"


_ALL: Final = (
    Invariant(
        "one-owner",
        "publish: streamIdInUse, alreadyPublishing",
        "A stream that is live or about to be is held by exactly one open session of its app, and a session holds one "
        "such stream; one that is kept for its publisher is held by one session at most.",
    ),
    Invariant(
        "one-thing-per-id",
        "publish, join, joinRoom: streamIdInUse",
        "In an app an id is a stream, a pair or a room, and never two of them.",
    ),
    Invariant(
        "publish-finished-once",
        "publish_started, publish_finished, session_restored",
        "A publisher is told `publish_finished` exactly once for each `publish_started` or `session_restored`, unless "
        "its session has closed.",
    ),
    Invariant(
        "publish-ends",
        "publishTimeoutError; settings.webrtc.client.start.timeoutMs",
        "A stream that is not live yet, or is kept for its publisher, has a timer that ends it; a live one has none.",
    ),
    Invariant(
        "play-ends",
        "play_started, play_finished",
        "A playback that is negotiated, for the first time or anew, has a timer that ends it, and one that plays has "
        "none; when it ends while its session is open, the player is told `play_finished`.",
    ),
    Invariant(
        "told-only-concerned",
        "every message of the server",
        "A message goes to the session that asked, or to an open one that holds a machine which the record concerned.",
    ),
    Invariant(
        "pair-of-two",
        "join, start, takeConfiguration, takeCandidate, stop: noSpaceForNewPeer",
        "A pair has at most two peers, each of them once, and what one of them says is relayed to the other and to "
        "nobody else.",
    ),
    Invariant(
        "newest-answer",
        "takeConfiguration between peers",
        "An answer is relayed only when it is the answer to the newest offer that was relayed.",
    ),
    Invariant(
        "room-list",
        "joinedTheRoom, roomInformation",
        "A list of a room's streams is the live streams that are published in it, without the asker's own.",
    ),
    Invariant(
        "room-lives",
        "joinRoom, leaveFromRoom, leavedFromRoom",
        "A room lives as long as somebody is in it or plays it whole; each member has one seat, and whoever only "
        "publishes has it as long as the stream.",
    ),
    Invariant(
        "leaving-ends-its-own",
        "leaveFromRoom, leavedFromRoom",
        "Whoever leaves a room ends what it publishes and plays in that room, and nothing elsewhere.",
    ),
    Invariant(
        "candidate-handed-on",
        "takeCandidate",
        "A candidate for a stream or playback that its sender holds reaches media, in whatever state that is.",
    ),
    Invariant(
        "nothing-outlives-its-owner",
        "contract 14: no id is ever stuck",
        "No machine is held by a session that is not open, no playback shows what has ended, no call waits for a pair "
        "that is gone, and no timer belongs to a machine that is.",
    ),
    Invariant(
        "refusal-changes-nothing",
        "error",
        "A refused record moves no machine, leaves everything that sessions hold as it was, and tells nobody but the "
        "session that asked.",
    ),
    Invariant(
        "denied-is-refused",
        "unauthorized_access, user_blocked",
        "What the gate did not allow is refused.",
    ),
    Invariant(
        "grant-once",
        "one-time tokens: unauthorized_access",
        "What rests on a one-time token or code is accepted from one session alone, until the token expires by itself.",
    ),
    Invariant(
        "restored-by-its-publisher",
        "session_restored: streamIdInUse",
        "A stream that is kept for its publisher is published again by nobody else.",
    ),
    Invariant(
        "retired-is-inert",
        "contract 7: references and deadlines",
        "A timer that was retired, and what media says of a former life, moves nothing.",
    ),
    Invariant(
        "nothing-unreachable",
        "contract 5: every cell is decided",
        "No row fires of which the table says that nothing reaches it.",
    ),
)

INVARIANTS: Final[dict[str, Invariant]] = {invariant.name: invariant for invariant in _ALL}
"""Every invariant by its name."""
