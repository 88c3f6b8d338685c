"""What the runtime counts: everything that is off the reel, and the totals an operator looks at first.

Contract item 13: whatever never reaches the reel is counted here. Labels come from small fixed sets only, never from
what a client wrote.
"""

from dataclasses import dataclass, field

__all__ = ("Counters",)


@dataclass(slots=True)
class Counters:
    """Totals since the runtime was made. Read them at any time; only the runtime writes them."""

    sessions_opened: int = 0
    sessions_closed: int = 0
    records: int = 0  #: appended and applied
    transitions: int = 0
    messages: int = 0  #: handed to a session's delivery

    refused: dict[str, int] = field(default_factory=dict[str, int])  #: refusals on the reel, by definition
    undecodable: dict[str, int] = field(default_factory=dict[str, int])  #: input that is no command, by reason
    broken: dict[str, int] = field(
        default_factory=dict[str, int]
    )  #: by invariant, where a monitor watches; a bug of ours
    unreachable: int = 0  #: rows that fired although nothing should reach them; anything but 0 is a bug of ours
    pings: int = 0
    unrecorded: int = 0  #: commands answered `data_store_not_available`
    oversized: int = 0  #: messages beyond the size limit
    over_rate: int = 0  #: messages dropped because their session sent too many, or too much
    early: int = 0  #: commands answered `not_initialized_yet`
    turned_away: int = 0  #: sessions refused because too much is waiting, or the server stops

    connections_refused: int = 0  #: answered 503, because there were too many
    connections_cut: int = 0  #: cut off, because no request came on them in time

    slow_sessions: int = 0  #: ended with 1013, because they did not read
    flooding_sessions: int = 0  #: ended with 1008, because they did not stop writing
    dropped_measurements: int = 0  #: bitrate reports dropped because too much is waiting
    dropped_steps: int = 0  #: steps that a slow subscriber missed

    dropped_notes: int = 0  #: notes that too many others waited behind, or that the reel did not take

    reel_failures: int = 0  #: failed attempts to write the reel
    gate_failures: int = 0  #: verdicts that were an exception or came too late
    ice_failures: int = 0  #: exceptions of whoever knows the ICE servers
    media_failures: int = 0  #: exceptions of the media adapter
    transport_failures: int = 0  #: exceptions of a transport that are none of the agreed ones

    def refuse(self, definition: str) -> None:
        """Count one refusal."""
        self.refused[definition] = self.refused.get(definition, 0) + 1

    def reject(self, reason: str) -> None:
        """Count one input that is no command."""
        self.undecodable[reason] = self.undecodable.get(reason, 0) + 1
