"""The limits of the shell: every queue, message and wait has one, and a name.

They decide nothing on a reel, which is why they are not in `signalreel.settings`.
"""

from typing import Final

from msgspec import Struct

__all__ = ("MICROSECONDS", "Limits")

MICROSECONDS: Final = 1_000
"""Microseconds in a millisecond: limits are in milliseconds, clocks in microseconds."""


class Limits(Struct, frozen=True):
    """How much the runtime holds and how long it waits. Sizes in bytes, times in milliseconds."""

    message_bytes_max: int = 81_920
    """One message from a client; a longer one ends its session with 1009. What the real server takes: 10 x 8 192."""

    session_inputs_max: int = 64
    """Inputs of one session that are decoded and not yet applied. At this number its transport is not read further."""

    session_inputs_burst_max: int = 256
    """Where a callback path that cannot stop reading at once is given up: the session ends with 1008."""

    inputs_max: int = 65_536
    """Inputs of all sessions together. Above it new sessions get 1013, and bitrate reports are dropped."""

    batch_records_max: int = 256
    """Records in one commit: the most that a crash of a buffered disk could lose, and the longest turn of the loop."""

    outbox_messages_max: int = 1_024
    """Messages waiting for one slow session; one more ends it with 1013."""

    outbox_bytes_max: int = 1_048_576
    """Bytes waiting for one slow session; more end it with 1013."""

    send_ms_max: int = 10_000
    """How long one message may take to be handed over before its session is ended with 1013."""

    close_ms_max: int = 2_000
    """How long a transport may take to close before it is left to itself."""

    gate_ms_max: int = 10_000
    """How long the gate may think about one command before it is refused."""

    subscription_steps_max: int = 1_024
    """Steps waiting for one subscriber; its policy says what happens to the next."""

    reel_retry_ms: int = 500
    """After a failed commit, how long until what must not be lost is written again, if no command tries it before."""

    drain_step_ms: int = 20
    """Between telling one session and the next that the server will stop: clients reconnect at once when told."""

    drain_spread_ms: int = 5_000
    """The most that telling all sessions takes, however many there are."""

    drain_grace_ms: int = 1_000
    """How long sessions have to leave by themselves, once told, before they are closed."""
