"""The limits of the shell: every queue, message and wait has one, and a name.

They decide nothing on a reel, which is why they are not in `signalreel.settings`.
"""

from typing import Final

from msgspec import Struct

__all__ = ("MICROSECONDS", "UNLIMITED", "Limits")

MICROSECONDS: Final = 1_000
"""Microseconds in a millisecond: limits are in milliseconds, clocks in microseconds."""

UNLIMITED: Final = -1
"""A rate that is none: everything is let through."""


class Limits(Struct, frozen=True):
    """How much the runtime holds and how long it waits. Sizes in bytes, times in milliseconds."""

    message_bytes_max: int = 81_920
    """One message from a client; a longer one ends its session with 1009. What the real server takes: 10 x 8 192."""

    session_inputs_max: int = 64
    """Inputs of one session that are decoded and not yet applied. At this number its transport is not read further."""

    session_inputs_burst_max: int = 256
    """Where a callback path that cannot stop reading at once is given up: the session ends with 1008."""

    messages_per_s_max: int = 200
    """Messages of one session a second, in the long run; what is over it is dropped and counted. -1 for no limit.

    Real clients send a few in a minute, and some dozens when a call begins. One that speaks for many streams needs
    more.
    """

    messages_burst_max: int = 600
    """Messages of one session at once: ten calls that begin together, with sixty candidates each."""

    identity_messages_per_s_max: int = 1_000
    """The same for all sessions together of whom the host has given one identity. -1 for no limit."""

    identity_messages_burst_max: int = 3_000
    """Messages of all sessions of one identity at once."""

    address_messages_per_s_max: int = 10_000
    """The same for all sessions from one address: behind it there may be a whole school. Behind a proxy that is
    not named as one everybody has one address."""

    address_messages_burst_max: int = 30_000
    """Messages of all sessions from one address at once."""

    idle_rates_max: int = 16_384
    """Identities and addresses that have left and whose rates are remembered, so that coming back gains nothing."""

    pings_per_s_max: int = 50
    """Pings of one session a second, in the long run; clients send one every two or three seconds. -1 for no limit."""

    pings_burst_max: int = 600
    """Pings of one session at once."""

    bytes_per_s_max: int = 1_048_576
    """Bytes from one session a second, in the long run, so that nobody fills the disk alone. -1 for no limit."""

    bytes_burst_max: int = 4_194_304
    """Bytes from one session at once: more than fifty of the largest messages."""

    excess_messages_max: int = 1_000
    """Messages dropped for their rate before the session ends with 1008. Forgotten once it has paused for a while."""

    inputs_max: int = 65_536
    """Inputs of all sessions together. Above it new sessions get 1013, and bitrate reports are dropped."""

    early_inputs_max: int = 2_048
    """The same before the runtime is ready, when sessions only come and go; what they say is answered, not kept."""

    batch_records_max: int = 256
    """Records in one commit: the most that a crash of a buffered disk could lose, and the longest turn of the loop."""

    outbox_messages_max: int = 1_024
    """Messages waiting for one slow session; one more ends it with 1013."""

    outbox_bytes_max: int = 1_048_576
    """Bytes waiting for one slow session behind the message under way; another message then ends it with 1013.

    It bounds what is left unread and not how large a message may be: the list of a large room is one message.
    """

    connections_max: int = 10_000
    """Connections of the server, of all kinds; beyond it a new one is answered 503. Fewer if files are scarcer."""

    request_head_ms_max: int = 10_000
    """How long a connection may take for a whole request head, from its beginning or the last answer on it."""

    send_ms_max: int = 10_000
    """How long one message may take to be handed over before its session is ended with 1013."""

    close_ms_max: int = 2_000
    """How long a transport may take to close before it is left to itself."""

    gate_ms_max: int = 10_000
    """How long the gate may think about one command before it is refused."""

    subscription_steps_max: int = 1_024
    """Steps waiting for one subscriber; its policy says what happens to the next."""

    notes_max: int = 4_096
    """Notes that wait to be written, and sessions of which something is counted; beyond it the oldest are dropped."""

    reel_retry_ms: int = 500
    """After a failed commit, how long until what must not be lost is written again, if no command tries it before."""

    drain_step_ms: int = 20
    """At most so long between telling one session and the next that the server will stop; less when there are so many
    that it would take longer than `drain_spread_ms`. Clients reconnect at once when told."""

    drain_spread_ms: int = 5_000
    """The most that telling all sessions takes, however many there are."""

    drain_grace_ms: int = 1_000
    """How long sessions have to leave by themselves, once told, before they are closed."""
