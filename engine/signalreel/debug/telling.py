"""Telling a record and what it caused, in lines for people.

Descriptions and candidates are never told, only that there was one; a client's text is told without anything that could
move a terminal's cursor.
"""

from collections.abc import Iterator
from typing import Final

from signalreel.messages import AnyMessage, CloseSession, Error, Notification
from signalreel.notes import (
    Closed,
    Coalesced,
    Correlation,
    Delivered,
    Dropped,
    MediaFailed,
    MediaStatistics,
    Note,
    OffReel,
    UnknownNote,
)
from signalreel.record import Input, input_name
from signalreel.step import Step, Transition

__all__ = (
    "counted",
    "lines_of",
    "printable",
    "short_id",
    "short_session",
    "told_input",
    "told_message",
    "told_names",
    "told_note",
    "told_transition",
)

_SESSION_CHARACTERS: Final = 8
"""As much of a session's id as tells two apart in one reel."""

_SHORT_ALREADY: Final = 10
"""Ids of no more characters are told whole: nobody drew them, so their beginnings may be the same."""

_US_PER_MS: Final = 1_000
_BITS_PER_KBIT: Final = 1_000

_NAMES: Final = ("stream_id", "room", "app", "type")
"""Fields of inputs that say what they are about, in the order in which they are told."""


def lines_of(step: Step) -> Iterator[str]:
    """Tell one record: its seq, time in seconds, session and input; then what it caused, one line each."""
    record = step.record
    said = f"{record.seq:>7}  {record.time / 1_000_000:>12.6f}  {short_session(record.session):<8}  {told_input(step)}"
    yield said
    for transition in step.transitions:
        yield f"{'':>31}  {told_transition(transition)}"
    for session, message in step.messages:
        yield f"{'':>31}  to {short_session(session):<8} {told_message(message)}"


def told_input(step: Step) -> str:
    """Name the input, what it is about, and the refusal if it was refused."""
    refused = [f"refused: {step.refused}"] if step.refused else []
    return "  ".join([input_name(step.record), *told_names(step.record.input), *refused])


def told_names(input: Input) -> list[str]:
    """Say what an input is about: the stream, room, app and type that it names, and the machine."""
    named = [printable(str(getattr(input, field))) for field in _NAMES if getattr(input, field, "")]
    machine = getattr(input, "machine", None)
    if machine is not None:
        named.append(f"{machine.kind} {short_id(machine.id)}")
    return named


def told_transition(transition: Transition) -> str:
    """Tell which machine went from where to where."""
    machine = transition.machine
    return f"{machine.kind:<8} {short_id(machine.id)}  {transition.source} -> {transition.target}"


def told_message(message: AnyMessage) -> str:
    """Name a message and what it is about."""
    name = str(type(message).__struct_config__.tag)
    match message:
        case Error() | Notification():
            return f"{name} {message.definition}"
        case CloseSession(code, reason):
            return f"{name} {code} {reason}"
        case _:
            return f"{name} {printable(str(getattr(message, 'stream_id', '')))}".rstrip()


def told_note(note: Note) -> str:
    """Tell what was noted beside a record, without its time and session."""
    match note.body:
        case Delivered(messages):
            return f"{counted(messages, 'message')} delivered"
        case Dropped(messages, reason):
            return f"{counted(messages, 'message')} dropped{_because(reason)}"
        case Coalesced(messages):
            return f"{counted(messages, 'message')} replaced by a newer one"
        case Closed(code, reason, by):
            return f"closed with {code}{_because(reason)}{f' by the {printable(by)}' if by else ''}"
        case OffReel(reason, count):
            return f"off the reel: {printable(reason)}{f', {count} times' if count > 1 else ''}"
        case MediaFailed(layer, what, machine):
            where = f"{machine.kind} {short_id(machine.id)}: " if machine is not None else ""
            return f"{where}{printable(layer)} failed{_because(what)}"
        case MediaStatistics():
            return _told_statistics(note.body)
        case Correlation(id):
            return f"the host's id: {printable(id)}"
        case UnknownNote(kind):
            return f"a note that this version does not know: {printable(kind)}"


def counted(count: int, what: str) -> str:
    """Tell how many there are of something."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _because(reason: str) -> str:
    return f" ({printable(reason)})" if reason else ""


def _told_statistics(measured: MediaStatistics) -> str:
    told = [f"{measured.machine.kind} {short_id(measured.machine.id)}:"]
    if measured.packets_received:
        told.append(f"{measured.packets_received} packets received, {measured.bytes_received} bytes,")
    if measured.packets_sent:
        told.append(f"{measured.packets_sent} packets sent, {measured.bytes_sent} bytes,")
    more = [f"{measured.packets_lost} lost"]
    if measured.bitrate:
        more.append(f"{measured.bitrate // _BITS_PER_KBIT} kbit/s")
    if measured.height:
        more.append(f"{measured.height} lines")
    if measured.keyframes_asked:
        more.append(f"{counted(measured.keyframes_asked, 'keyframe')} asked for")
    if measured.round_trip_us:
        more.append(f"round trip {measured.round_trip_us / _US_PER_MS:.1f} ms")
    return " ".join((*told, ", ".join(more)))


def printable(text: str) -> str:
    """Give a client's text without anything that could move a terminal's cursor."""
    return text if text.isprintable() else ascii(text)


def short_session(session: str) -> str:
    """Shorten a session's id, unless it is short already; `-` for the server's own."""
    return (session if len(session) <= _SHORT_ALREADY else session[:_SESSION_CHARACTERS]) or "-"


def short_id(id: str) -> str:
    """Shorten the session in a playback's id; the rest is what the client chose."""
    session, slash, rest = id.partition("/")
    return printable(f"{short_session(session)}/{rest}" if slash else id)
