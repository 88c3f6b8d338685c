"""The limits and times that the machines obey.

They decide what a record causes, so they are recorded: the first ones in the reel's header, every change as an event.
Limits of the shell (queue lengths, message sizes) are not here: they decide nothing on a reel.

Defaults are the protocol page's; two of them were changed by later servers, which is said beside them.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

__all__ = (
    "DEFAULT_CODECS",
    "PAGE_NAMES",
    "NotNegative",
    "Percent",
    "Positive",
    "Rung",
    "Settings",
    "Unlimited",
)

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Percent = Annotated[int, Meta(ge=1, le=100)]
Unlimited = Annotated[int, Meta(ge=-1)]

DEFAULT_CODECS: Final = ("VP8", "H264", "VP9", "AV1", "opus")


class Rung(Struct, frozen=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """One rendition of a ladder: pixels and bit/s."""

    height: Positive
    video_bitrate: Positive
    audio_bitrate: NotNegative = 0


class Settings(Struct, frozen=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """What the machines obey. Times in milliseconds, memory in megabytes (10^6 bytes), -1 for no limit."""

    publish_timeout_ms: Positive = 5_000
    """From `start` until media flows, else `publishTimeoutError` (servers since 2.5.0 wait 10 000)."""

    play_timeout_ms: Positive = 10_000
    """From accepting `play` until the player is connected, and from each change of a room until the player has answered
    the new offer, else `play_finished`."""

    restore_ms: NotNegative = 0
    """How long the id of a live stream is kept for its own publisher after its session closed. Only with access control
    on, because without an identity anyone could take the stream over in that time."""

    cpu_percent_max: Percent = 85
    """At this load or above, publish and play are refused with `highResourceUsage` (servers now use 75)."""

    free_memory_mb_min: NotNegative = 10
    """Below this, publish and play are refused with `highResourceUsage`."""

    viewers_max: Unlimited = -1
    """Viewers of one stream; the next one is refused with `viewerLimitReached`."""

    streams_max: Unlimited = -1
    """Live streams in one app; the next one is refused with `highResourceUsage`."""

    session_machines_max: Unlimited = 256
    """Playbacks, pairs and rooms that one session may hold, its stream included; the next one is refused with
    `highResourceUsage`. A member of a legacy conference holds one for each other member."""

    room_streams_max: Unlimited = -1
    """Streams in one room; the next one is refused (`main_track_has_max_subtrack_count__…`)."""

    video_tracks_max: Unlimited = -1
    """Told to whoever joins a room as `maxTrackCount`."""

    offers_owed_max: Positive = 4
    """Offers relayed to one peer that it has not answered; further ones are dropped until it does. The answers to
    those that were relayed still count, the last of them as the answer to the newest."""

    codecs: tuple[str, ...] = DEFAULT_CODECS
    """What may be published, by the names of an rtpmap, as far as the media adapter can forward it. Empty: every
    publish is refused with `no_codec_enabled_in_the_server`."""

    registered_streams_only: bool = False
    """Refuse to publish a stream that is not registered, with `not_allowed_unregistered_streams`; in a registered room
    any stream may be published."""

    registered_rooms_only: bool = False
    """Refuse to join a room that is not registered, and to publish in it, with the same."""

    adaptive: bool = False
    """Streams are to be played in the renditions of `ladder`; a registered stream can ask for it by itself."""

    ladder: tuple[Rung, ...] = ()
    """The renditions; those that are lower than what is published are made. Empty: every play of a stream that is to
    have some is refused with `no_encoder_settings`."""

    hide_streams: bool = False
    """Whoever has no standing gets `unauthorized_access` for every question about an id, whether it is live or not: so
    nobody finds out what there is. Standing has who holds it, or was granted to play it."""

    room_events: bool = False
    """Tell the members of a room `streamJoined` and `streamLeaved`, as servers did before 2.2; they may then stop
    asking with `getRoomInfo` every few seconds."""

    silence_timeout_ms: NotNegative = 0
    """A publisher from whom nothing has come for so long is told `noPacketReceivedForTimeoutDuration`, and its stream
    ends; 0: it may be silent for ever."""

    stun_server: str = ""
    """Answer to `getIceServerConfig`, as `stun:host:port`. Empty by default: a default server would learn addresses."""


PAGE_NAMES: Final[dict[str, str]] = {
    "settings.webrtc.client.start.timeoutMs": "publish_timeout_ms",
    "server.cpu_limit": "cpu_percent_max",
    "server.min_free_ram": "free_memory_mb_min",
}
"""The names under which the protocol page knows three of the settings; a configuration may use either."""
