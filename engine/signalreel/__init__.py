"""Signalreel: an event-sourced state-machine engine for WebRTC signaling.

    from signalreel import Engine, MemoryReel, Record, Settings

    step = Engine(Settings()).apply(record)

This package is pure: it reads no clock, draws no random number, performs no I/O and waits for nothing. The shell around
it (runtime, transports, media, server) is the package `signalreel_adapters`. The words themselves are in the modules:
what a client says in `signalreel.commands`, what the world reports in `signalreel.events`, what the server says in
`signalreel.messages`, what it refuses with in `signalreel.refusals`, what the
host orders in `signalreel.host` and what it registers in `signalreel.registered`.
"""

from signalreel.decoding import decode_command
from signalreel.engine import Engine
from signalreel.errors import (
    Divergence,
    InvalidPredicate,
    InvalidRecord,
    OutOfOrder,
    ReelBusy,
    ReelDamaged,
    ReelError,
    ReelUnavailable,
    SignalreelError,
    Undecodable,
)
from signalreel.header import ENGINE_VERSION, Header, Parent
from signalreel.host import CloseRoom, EndStream, KickSession
from signalreel.identifiers import App, Kind, Reference, SessionId, is_valid_name
from signalreel.messages import encode_message
from signalreel.notes import Note
from signalreel.record import Grant, Record, decode_record, encode_record
from signalreel.reel import Entry, MemoryReel, Reel
from signalreel.refusals import REFUSALS, Refusal
from signalreel.replay import Cursor, Replayed
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot, decode_snapshot, encode_snapshot
from signalreel.step import Deadline, Outcome, Step, Transition

__all__ = (
    "ENGINE_VERSION",
    "REFUSALS",
    "App",
    "CloseRoom",
    "Cursor",
    "Deadline",
    "Divergence",
    "EndStream",
    "Engine",
    "Entry",
    "Grant",
    "Header",
    "InvalidPredicate",
    "InvalidRecord",
    "KickSession",
    "Kind",
    "MemoryReel",
    "Note",
    "OutOfOrder",
    "Outcome",
    "Parent",
    "Record",
    "Reel",
    "ReelBusy",
    "ReelDamaged",
    "ReelError",
    "ReelUnavailable",
    "Reference",
    "Refusal",
    "Replayed",
    "SessionId",
    "Settings",
    "SignalreelError",
    "Snapshot",
    "Step",
    "Transition",
    "Undecodable",
    "decode_command",
    "decode_record",
    "decode_snapshot",
    "encode_message",
    "encode_record",
    "encode_snapshot",
    "is_valid_name",
)
