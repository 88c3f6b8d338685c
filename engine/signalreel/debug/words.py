"""What each text on a reel is, as far as sharing goes: a word that may stay, a description, or something to replace.

Only what is written here is treated in any special way. Every other text of every Struct is replaced by a pseudonym,
those of fields that do not exist yet included: what is forgotten here is hidden, not shown.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from signalreel.commands import (
    GetSubtracks,
    GetSubtracksCount,
    Join,
    JoinRoom,
    PeerMessage,
    RegisterPushToken,
    SendPush,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.debug.descriptions import CODECS, redacted_candidate, redacted_description, redacted_mid
from signalreel.debug.pseudonyms import Pseudonyms
from signalreel.events import (
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    MediaLost,
    SessionClosed,
    Track,
)
from signalreel.header import Header
from signalreel.host import HOST_REFUSALS
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Pair, PairState, PlaybackState, RoomState, StreamState
from signalreel.notes import Closed, Dropped, MediaFailed, OffReel
from signalreel.record import Grant, schema_of_inputs
from signalreel.refusals import REFUSALS
from signalreel.registered import PushRegistration, RegisteredRoom, RegisteredStream
from signalreel.settings import Settings
from signalreel.step import PublishTerms, TrackSwitched

__all__ = ("EXEMPT", "NAMING", "OWN_JSON", "REASON_WORDS", "STATES", "Exempt", "Rewrite")


Rewrite = Callable[[str, Pseudonyms], str]


class Exempt(Struct, frozen=True):
    """A field whose texts do not all become pseudonyms."""

    why: str
    stays: Callable[[str], bool]  #: whether a text stays as it is
    rewrite: Rewrite | None = None  #: what becomes of the others; None: a pseudonym


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(why: str, *words: str) -> Exempt:
    """The words stay in any spelling of upper and lower case, since that tells nothing either."""
    known = frozenset(word.casefold() for word in words)
    return Exempt(why, lambda text: text.casefold() in known)


_KINDS: Final = _words("an offer and an answer are taken by different rows", "offer", "answer", "pranswer", "rollback")
_CODECS: Final = _words("names of codecs are the same everywhere", *CODECS)
_DESCRIPTION: Final = Exempt("what media needs of it stays", lambda text: not text, redacted_description)
_CANDIDATE: Final = Exempt("its type and priority stay", lambda text: not text, redacted_candidate)
_MID: Final = Exempt("a small number, or the name of a kind of media", lambda text: not text, redacted_mid)
_PUSH_SERVICES: Final = _words("one of the services that exist", "fcm", "apn")

REASON_WORDS: Final = _listed(
    "a an the of for to in on by at from with and or not no nor none nothing nobody is are was were be been has "
    "have had can cannot could must may this that its it own all any every each one two both other another more "
    "most too many much long large big small large new old longer first last again before after until while since "
    "when than only description descriptions media section sections line lines mid mids codec codecs common offer "
    "answer offered answered offers candidate candidates attribute attributes malformed missing unknown "
    "unsupported invalid empty rejected refused characters control start starts payload type types kind kinds "
    "data channel channels protected bundle group ice restart connection connections make made possible side "
    "sides choose dtls srtp sctp rtp rtcp stun turn udp tcp tls handshake failed fails path peer peers found "
    "relay describes connects ends ended lite agents would check transport transports session sessions server "
    "servers room going away normal closure protocol error errors message messages internal service overload try "
    "policy violation shutdown slow consumer kicked idle timeout timed out time silent packet packets received "
    "sent lost closed close client worker adapter process request taken take waiting done do host stopped "
    "stopping started stop came come comes gone went fell ping undecodable rate limited reel queue full replaced "
    "certificate fingerprint consent expired same port ports used unreachable abort aborted reset eof"
)
"""Words of which the reasons are made that Signalreel itself gives: none of them can name anybody."""


def _is_plain(text: str) -> bool:
    """Whether a reason is made of plain words alone. A client can give one too, and put anything into it."""
    return text.isascii() and all(word.lower() in REASON_WORDS for word in re.split(r"[ ,;:'.\-]+", text) if word)


_REASON: Final = Exempt("a sentence of plain words, as Signalreel gives them", _is_plain)
STATES: Final = frozenset(
    {str(state) for states in (StreamState, PlaybackState, PairState, RoomState) for state in states}
    | set(map(str, Kind))
)
"""The words of which an outcome is made, besides names: the kinds of machine and their states."""

_VERSION: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}(?:(?:a|b|rc|\.dev|\.post)[0-9]{1,4})?")

EXEMPT: Final[dict[tuple[type[Struct], str], Exempt]] = {
    (TakeConfiguration, "type"): _KINDS,
    (TakeConfiguration, "sdp"): _DESCRIPTION,
    (TakeCandidate, "id"): _MID,
    (TakeCandidate, "candidate"): _CANDIDATE,
    (Join, "mode"): _words("decides who offers", "play", "both"),
    (JoinRoom, "mode"): _words("told by the protocol", "legacy", "multitrack", "mcu", "amcu"),
    (GetSubtracks, "sort_by"): _words("told by the protocol", "name", "date", "status"),
    (GetSubtracks, "order_by"): _words("told by the protocol", "asc", "desc"),
    (GetSubtracksCount, "status"): _words("a status", "broadcasting", "preparing", "created", "finished"),
    (RegisterPushToken, "pns_type"): _PUSH_SERVICES,
    (DescriptionCreated, "type"): _KINDS,
    (DescriptionCreated, "sdp"): _DESCRIPTION,
    (DescriptionCreated, "id_mapping keys"): _MID,
    (DescriptionFailed, "side"): _words("decides the refusal", "remote", "local"),
    (DescriptionFailed, "reason"): _REASON,
    (CandidateFound, "id"): _MID,
    (CandidateFound, "candidate"): _CANDIDATE,
    (MediaLost, "reason"): _REASON,
    (SessionClosed, "reason"): _REASON,
    (Track, "kind"): _words("decides what a viewer is told", "video", "audio", "data"),
    (Track, "codec"): _CODECS,
    (Settings, "codecs"): _CODECS,
    (Grant, "refusal"): _words("an entry of the catalogue", *REFUSALS, *HOST_REFUSALS),
    (RegisteredStream, "type"): _words(
        "a kind of stream", "liveStream", "VoD", "ipCamera", "streamSource", "playlist", "audioSource"
    ),
    (RegisteredRoom, "mode"): _words("told by the protocol", "legacy", "multitrack", "mcu", "amcu"),
    (PushRegistration, "pns_type"): _PUSH_SERVICES,
    (Pair, "modes"): _words("decides who offers", "play", "both"),
    (PublishTerms, "codecs"): _CODECS,
    (TrackSwitched, "kind"): _words("picture or sound", "video", "audio"),
    (Closed, "reason"): _REASON,
    (Closed, "by"): _words("which side it was", "client", "server"),
    (Dropped, "reason"): _REASON,
    (OffReel, "reason"): _REASON,
    (MediaFailed, "layer"): _words(
        "a layer of media", "ice", "dtls", "srtp", "sctp", "description", "worker", "adapter"
    ),
    (MediaFailed, "what"): _REASON,
    (Header, "schema"): Exempt("this version's own", lambda text: text in {"", schema_of_inputs()}),
    (Header, "engine_version"): Exempt(
        "says which code made the reel", lambda text: _VERSION.fullmatch(text) is not None
    ),
}
"""The fields whose texts do not all become pseudonyms, each with why."""

NAMING: Final = frozenset({"stream_id", "room", "main_track", "video_track_id", "user_publish_id"})
"""The fields that name a stream or a room: what stands in one may be kept, when names are."""

OWN_JSON: Final = frozenset({(PeerMessage, "data"), (SendPush, "push_notification_content")})
"""The fields that hold any JSON of a client's own. Its numbers and the names of its fields are replaced too."""
