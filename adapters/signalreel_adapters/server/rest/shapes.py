"""What travels over the interface: the objects that its clients know elsewhere, as far as they mean something here.

Fields that this server has no use for are left out of what it answers, and ignored in what it is told: clients send
whole objects back. What a client may send has its bounds here, so that a body that is wrong is answered with the field.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, field, structs

from signalreel.registered import Purpose, Text

__all__ = (
    "AppStatistics",
    "Broadcast",
    "BroadcastChanges",
    "BroadcastStatus",
    "ClientStats",
    "ConferenceRoom",
    "Licence",
    "LicenceSwitch",
    "Liveness",
    "NewConferenceRoom",
    "NewSubscriber",
    "OneTimeCode",
    "Result",
    "RoomInfo",
    "ShownToken",
    "SimpleStat",
    "SubscriberMade",
    "SubscriberShown",
    "SystemStatus",
    "Token",
    "TokenToValidate",
    "Version",
    "ViewerStatistics",
    "with_changes",
)

S = TypeVar("S", bound=Struct)

_Name = Annotated[str, Meta(max_length=255)]
_Date = Annotated[int, Meta(ge=0, le=2**53)]
_Limit = Annotated[int, Meta(ge=-1, le=2**31)]


class Result(Struct, frozen=True, rename="camel"):
    """How something went. `message` is an error definition where there is one, else a sentence."""

    success: bool
    message: str = ""
    data_id: str | None = None
    error_id: int = 0


class SimpleStat(Struct, frozen=True):
    """A number of something."""

    number: int


class BroadcastStatus(StrEnum):
    """How it stands with a stream."""

    CREATED = "created"
    PREPARING = "preparing"
    BROADCASTING = "broadcasting"
    FINISHED = "finished"


class Broadcast(Struct, frozen=True, rename="camel"):
    """A stream: registered, live, or both; or a room that is played whole, which is virtual."""

    stream_id: str
    status: BroadcastStatus
    name: str = ""
    description: str = ""
    type: str = "liveStream"
    publish_type: str | None = None  #: `WebRTC` while it is published
    date: int = 0  #: milliseconds since 1970: when it was registered
    planned_start_date: int = 0  #: seconds since 1970
    planned_end_date: int = 0
    meta_data: str = ""
    username: str = ""
    main_track_stream_id: str | None = None
    sub_track_stream_ids: tuple[str, ...] = ()
    virtual: bool = False  #: it has no media of its own: a room
    zombi: bool = False  #: it is not registered, and gone when it ends
    width: int = 0
    height: int = 0
    bitrate: int = 0
    viewer_count: int = field(name="webRTCViewerCount", default=0)
    viewer_limit: int = field(name="webRTCViewerLimit", default=-1)
    subtracks_limit: int = -1
    expire_duration_ms: int = field(name="expireDurationMS", default=0)
    auto_start_stop_enabled: bool = False
    adaptive: bool = False  #: it is to be played in several renditions
    publish_access: tuple[str, ...] = ()  #: kinds of credential; empty when the app's own rule is for it
    play_access: tuple[str, ...] = ()


class BroadcastChanges(Struct, frozen=True, rename="camel"):
    """What a client may set of a stream. What is left out stays as it is, or is the default.

    So does a number or a switch that is null, which Java clients send for those they do not know; a text is emptied.
    """

    stream_id: _Name | UnsetType | None = UNSET
    name: Text | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    type: _Name | UnsetType | None = UNSET
    date: _Date | UnsetType | None = UNSET
    planned_start_date: _Date | UnsetType | None = UNSET
    planned_end_date: _Date | UnsetType | None = UNSET
    meta_data: Text | UnsetType | None = UNSET
    username: _Name | UnsetType | None = UNSET
    main_track_stream_id: _Name | UnsetType | None = UNSET
    viewer_limit: _Limit | UnsetType | None = field(name="webRTCViewerLimit", default=UNSET)
    subtracks_limit: _Limit | UnsetType | None = UNSET
    expire_duration_ms: _Date | UnsetType | None = field(name="expireDurationMS", default=UNSET)
    auto_start_stop_enabled: bool | UnsetType | None = UNSET
    adaptive: bool | UnsetType | None = UNSET
    publish_access: tuple[str, ...] | UnsetType = UNSET
    play_access: tuple[str, ...] | UnsetType = UNSET


class ViewerStatistics(Struct, frozen=True):
    """How many play a stream. Only WebRTC is served."""

    web_rtc: int = field(name="totalWebRTCWatchersCount", default=0)
    hls: int = field(name="totalHLSWatchersCount", default=0)
    dash: int = field(name="totalDASHWatchersCount", default=0)
    rtmp: int = field(name="totalRTMPWatchersCount", default=0)


class AppStatistics(ViewerStatistics, frozen=True):
    """How many play anything in an app, and how many streams can be played."""

    live: int = field(name="activeLiveStreamCount", default=0)


class ClientStats(Struct, frozen=True, rename="camel"):
    """One viewer, without its address."""

    client_id: str  #: the session
    stream_id: str
    state: str  #: of its playback
    room: str = ""
    measured_bitrate: int = 0  #: bit/s that it can take, as estimated last; 0 where nothing was measured yet
    send_bitrate: int = 0  #: bit/s that it is sent, of both:
    video_bitrate: int = 0
    audio_bitrate: int = 0


class Token(Struct, frozen=True, rename="camel"):
    """A token as it is given out: this once."""

    token_id: str
    stream_id: str
    expire_date: int  #: seconds since 1970
    type: Purpose
    room_id: str | None = None


class ShownToken(Struct, frozen=True, rename="camel"):
    """A one-time token that was issued. The token itself is kept nowhere; its keyed tag tells it from others."""

    tag: str
    stream_id: str
    expire_date: int
    type: Purpose
    room_id: str | None = None


class TokenToValidate(Struct, frozen=True, rename="camel"):
    """A token, and what it should be for."""

    token_id: Text
    stream_id: _Name
    type: Purpose
    room_id: _Name | None = None


class NewSubscriber(Struct, frozen=True, rename="camel"):
    """A subscriber to register. Without a secret one is drawn, and told in the answer."""

    subscriber_id: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Purpose = Purpose.PLAY
    b32_secret: Annotated[str, Meta(max_length=256)] | None = None
    subscriber_name: Text | None = None
    totp_expiry_period_seconds: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    concurrent_connections_limit: _Limit | None = None


class SubscriberMade(Result, frozen=True, rename="camel"):
    """How registering a subscriber went, with the secret that was drawn, which is told nowhere else."""

    b32_secret: str | None = None


class SubscriberShown(Struct, frozen=True, rename="camel"):
    """A registered subscriber, without its secret."""

    subscriber_id: str
    stream_id: str
    type: Purpose
    subscriber_name: str
    totp_expiry_period_seconds: int
    concurrent_connections_limit: int
    blocked_type: str | None = None  #: `publish`, `play` or `publish_play` while a block is in force
    blocked_until: int = 0  #: seconds since 1970


class OneTimeCode(Result, frozen=True, rename="camel"):
    """The present code of a subscriber, in `dataId` as real servers give it."""


class NewConferenceRoom(Struct, frozen=True, rename="camel"):
    """What a client may set of a room."""

    room_id: _Name | UnsetType | None = UNSET
    start_date: _Date | UnsetType | None = UNSET
    end_date: _Date | UnsetType | None = UNSET
    mode: _Name | UnsetType | None = UNSET
    streams_limit: _Limit | UnsetType | None = UNSET


class ConferenceRoom(Struct, frozen=True, rename="camel"):
    """A room: registered, occupied, or both."""

    room_id: str
    start_date: int = 0  #: seconds since 1970
    end_date: int = 0
    mode: str = ""
    streams_limit: int = -1
    room_stream_list: tuple[str, ...] = ()  #: the live ones
    member_count: int = 0
    zombi: bool = False  #: it is not registered, and gone when it is empty


class RoomInfo(Struct, frozen=True, rename="camel"):
    """What is live in a room."""

    room_id: str
    stream_id_list: tuple[str, ...]
    stream_details_map: dict[str, str]  #: to the streams' names
    start_date: int = 0
    end_date: int = 0


class LicenceSwitch(Struct, frozen=True, rename="camel"):
    """Suspend the licence or renew it: while it is suspended, nothing new is published or played."""

    suspended: bool


class Licence(Struct, frozen=True, rename="camel"):
    """How it stands with the licence."""

    suspended: bool
    status: str  #: `valid` or `suspended`


class Version(Struct, frozen=True, rename="camel"):
    """What runs."""

    version_name: str
    version_type: str = "Signalreel"


class SystemStatus(Struct, frozen=True, rename="camel"):
    """How busy the server is. Load and memory as measured last; -1 where they never were."""

    status: str  #: as at `/healthz`
    sessions: int
    cpu_percent: int
    free_memory_mb: int
    cpu_percent_max: int  #: at this or above, publish and play are refused
    free_memory_mb_min: int  #: below this they are refused


class Liveness(Struct, frozen=True):
    """The server answers."""

    status: str = "ok"


def with_changes(before: S, changes: Struct, names: Mapping[str, str]) -> S:
    """Give what is registered with what a client set; `names` says of each field that it may set which one that is.

    Null empties a text, and of everything else says nothing.
    """
    fields: dict[str, object] = {}
    for field_set, name in names.items():
        value = getattr(changes, field_set)
        if value is None and isinstance(getattr(before, name), str):
            fields[name] = ""
        elif value is not None and value is not UNSET:
            fields[name] = value
    return structs.replace(before, **fields)
