"""What the world reports: one frozen Struct per event, tagged on `event`. An event is never refused.

An event about a machine carries its whole reference, so that one which arrives late for a former life of the same id is
inert. Who reports what: the runtime sessions, deadlines and shutdown; the media adapter everything that names a
`machine` but `DeadlineReached`; an operator's monitor resources and licence.
"""

from typing import Any, Final, cast

from msgspec import Struct

from signalreel.identifiers import Reference
from signalreel.settings import Settings

__all__ = (
    "EVENTS",
    "AnyEvent",
    "BitrateMeasured",
    "CandidateFound",
    "ClockAdjusted",
    "DeadlineReached",
    "DescriptionCreated",
    "DescriptionFailed",
    "Event",
    "LicenceChanged",
    "LogicRaised",
    "MediaConnected",
    "MediaEvent",
    "MediaLost",
    "ResolutionChanged",
    "ResourcesMeasured",
    "RunStarted",
    "SessionClosed",
    "SessionOpened",
    "SettingsChanged",
    "ShutdownAnnounced",
    "Track",
    "TracksFound",
)


class Event(Struct, frozen=True, gc=False, tag_field="event", rename="camel", omit_defaults=True):
    """Base of everything the world can report."""


class MediaEvent(Event, frozen=True, gc=False):
    """Base of the events about one life of one machine."""

    machine: Reference


class SessionOpened(Event, frozen=True, gc=False, tag="SessionOpened"):
    """A client attached; the record's session is the new one. Sets its app for good."""

    app: str
    identity: str = ""  #: who the host says it is; empty when the host did not say


class SessionClosed(Event, frozen=True, gc=False, tag="SessionClosed"):
    """A client's transport ended. Everything the session held is let go."""

    code: int = 1000  #: the WebSocket close code, or its nearest equivalent (RFC 6455, section 7.4.1)
    reason: str = ""


class ShutdownAnnounced(Event, frozen=True, gc=False, tag="ShutdownAnnounced"):
    """The server will stop; the record's session is to be told. One record a session, so that telling can be spread."""


class RunStarted(Event, frozen=True, gc=False, tag="RunStarted"):
    """A new run writes this reel: whatever the run before it left open is over."""


class DeadlineReached(Event, frozen=True, gc=False, tag="DeadlineReached"):
    """A time that the engine asked to be woken at has come."""

    machine: Reference
    timer: int  #: the generation: seq of the record that set the timer


class DescriptionCreated(MediaEvent, frozen=True, gc=False, tag="DescriptionCreated"):
    """Media made a description: an answer to a publisher's offer, or an offer to a player."""

    type: str
    sdp: str
    id_mapping: dict[str, str] = {}  #: mid to track name, for every track of an offer; the JS SDK cannot do without


class DescriptionFailed(MediaEvent, frozen=True, gc=False, tag="DescriptionFailed"):
    """Media could not describe: `remote` when it cannot take the client's description, `local` when its own failed."""

    side: str
    reason: str = ""  #: for the reader of the reel; never holds a line of the description


class CandidateFound(MediaEvent, frozen=True, gc=False, tag="CandidateFound"):
    """Media found a local candidate that its description did not hold."""

    label: int
    id: str
    candidate: str


class MediaConnected(MediaEvent, frozen=True, gc=False, tag="MediaConnected"):
    """Media flows from the publisher, or the player's transport is connected."""


class MediaLost(MediaEvent, frozen=True, gc=False, tag="MediaLost"):
    """The ICE or DTLS transport failed, was closed by the other end, or fell silent."""

    reason: str = ""
    silent: bool = False  #: nothing has come for `silence_timeout_ms`, though the transport stands


class ResolutionChanged(MediaEvent, frozen=True, gc=False, tag="ResolutionChanged"):
    """A player is being sent a picture of another height (pixels) than before."""

    height: int


class Track(Struct, frozen=True, array_like=True, gc=False):
    """One track of a published stream, as measured. Sizes in pixels, bitrate in bit/s; 0 where not known."""

    id: str
    kind: str  #: `video`, `audio` or `data`
    codec: str = ""  #: as in an rtpmap: `VP8`, `H264`, `opus`
    width: int = 0
    height: int = 0
    bitrate: int = 0


class TracksFound(MediaEvent, frozen=True, gc=False, tag="TracksFound"):
    """What a stream consists of now; the whole list each time."""

    tracks: tuple[Track, ...]


class BitrateMeasured(MediaEvent, frozen=True, gc=False, tag="BitrateMeasured"):
    """What a player can take (its estimate) and what it is being sent, in bit/s."""

    target: int
    video: int
    audio: int


class ResourcesMeasured(Event, frozen=True, gc=False, tag="ResourcesMeasured"):
    """The host's load crossed a threshold of the settings, in either direction."""

    cpu_percent: int
    free_memory_mb: int


class LicenceChanged(Event, frozen=True, gc=False, tag="LicenceChanged"):
    """An operator suspended the licence, or renewed it."""

    suspended: bool


class LogicRaised(Event, frozen=True, gc=False, tag="LogicRaised"):
    """The machines go by a numbered flag of the logic from here on. It is never lowered."""

    flag: int


class ClockAdjusted(Event, frozen=True, gc=False, tag="ClockAdjusted"):
    """The wall clock's distance from the reel's time changed: microseconds since 1970 = record time + offset."""

    offset: int


class SettingsChanged(Event, frozen=True, gc=False, tag="SettingsChanged"):
    """The settings are these from now on. Timers that run keep the time they were set for."""

    settings: Settings


AnyEvent = (
    SessionOpened
    | SessionClosed
    | ShutdownAnnounced
    | RunStarted
    | DeadlineReached
    | DescriptionCreated
    | DescriptionFailed
    | CandidateFound
    | MediaConnected
    | MediaLost
    | ResolutionChanged
    | TracksFound
    | BitrateMeasured
    | ResourcesMeasured
    | LicenceChanged
    | LogicRaised
    | ClockAdjusted
    | SettingsChanged
)

EVENTS: Final[dict[str, type[Event]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyEvent).__args__
}
"""Every event by its name on the reel."""
