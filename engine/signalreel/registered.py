"""What an operator registers with an app: streams, rooms, tokens, subscribers and blocks. Plain data.

The host commands of `host` put these on the reel; `machines.registry` keeps them. Whatever is registered outlives the
calls that are made with it, restarts of the server included.

No secret stands here in the clear: a one-time token by its keyed tag alone, a subscriber's secret and a push token
sealed by whoever holds the operator's key. Times are those of the wall clock, in the unit that each field says.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from signalreel.settings import Unlimited

__all__ = (
    "LABEL_LENGTH_MAX",
    "LATEST",
    "TEXT_LENGTH_MAX",
    "Block",
    "BlockKind",
    "Credential",
    "IssuedToken",
    "Label",
    "Purpose",
    "PushRegistration",
    "RegisteredRoom",
    "RegisteredStream",
    "Sealed",
    "Subscriber",
    "Text",
    "Time",
)

LABEL_LENGTH_MAX: Final = 255
"""Characters of the name of a subscriber or the like."""

TEXT_LENGTH_MAX: Final = 4_096
"""Characters of a name, a description or meta data. Others are told these, hence the bound."""

LATEST: Final = 2**53
"""The latest time in any unit: what every client's numbers can hold."""

Text = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
"""Something for people or pages to read."""

Label = Annotated[str, Meta(max_length=LABEL_LENGTH_MAX)]
"""The name of a subscriber or the like, which is no name of a stream and may hold any character."""

Sealed = Annotated[str, Meta(max_length=8_192)]
"""A secret as only the holder of the operator's key can read it."""

Time = Annotated[int, Meta(ge=0, le=LATEST)]
"""A moment since 1970 or a length of time; 0 where there is none."""


class Purpose(StrEnum):
    """What a credential or a subscriber is for, spelled as in tokens."""

    PUBLISH = "publish"
    PLAY = "play"


class BlockKind(StrEnum):
    """What a block keeps from, spelled as in the REST interface of real servers."""

    PUBLISH = "publish"
    PLAY = "play"
    PUBLISH_PLAY = "publish_play"

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What it keeps from, one by one."""
        return (Purpose.PUBLISH, Purpose.PLAY) if self is BlockKind.PUBLISH_PLAY else (Purpose(self.value),)


class Credential(StrEnum):
    """A kind of credential that the access policy of a stream may ask for."""

    TOKEN = "token"  # noqa: S105 - its name
    HASH = "hash"
    JWT = "jwt"
    TOTP = "totp"


class RegisteredStream(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A stream that exists before it is published and after it has ended. -1 is for no limit."""

    stream_id: str
    name: Text = ""  #: what it is called when its publisher calls it nothing
    description: Text = ""
    meta_data: Text = ""  #: told with it when its publisher sends none
    planned_start: Time = 0  #: seconds since 1970; before it, it can be neither published nor played
    planned_end: Time = 0  #: seconds since 1970; after it likewise
    viewers_max: Unlimited = -1  #: beside the limit of the app
    subtracks_max: Unlimited = -1  #: streams published in the room of this name, beside the limit of the app
    expire_ms: Time = 0  #: how long after `created_at` it can be published and played; 0 is for ever
    created_at: Time = 0  #: milliseconds since 1970; when left out, the time at which it is first registered
    main_track: str = ""  #: the room it is published in when its publisher names none
    adaptive: bool = False  #: it is to be played in several renditions
    waits: bool = field(default=False, name="autoStartStopEnabled")
    """Whoever plays it while it is not live waits for it, instead of being refused."""
    publish_access: tuple[Credential, ...] = ()  #: the kinds of credential that are taken; none is for the app's own
    play_access: tuple[Credential, ...] = ()  #: likewise
    type: Label = "liveStream"  #: kept for clients that read it back
    username: Label = ""  #: kept for clients that read it back


class RegisteredRoom(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A room that exists before anybody is in it. -1 is for no limit."""

    room: str
    planned_start: Time = 0  #: seconds since 1970; before it, nobody can join it or publish in it
    planned_end: Time = 0  #: seconds since 1970; after it likewise
    streams_max: Unlimited = -1  #: streams published in it, beside the limit of the app
    mode: Label = ""  #: kept for clients that read it back


class IssuedToken(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A one-time token, without the token: what it opens."""

    tag: Label  #: the keyed tag of the token
    stream_id: str  #: a stream, a peer pair or a room
    purpose: Purpose
    expires_at: Time  #: seconds since 1970
    room: str = ""  #: a room in which the stream may be published


class Subscriber(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Somebody who may publish or play a stream or room, proved by time-based codes."""

    stream_id: str
    subscriber_id: Label
    purpose: Purpose = Purpose.PLAY  #: whoever may publish may play too
    sealed_secret: Sealed = ""  #: what the codes are made from; empty for one who cannot prove anything by codes
    period_s: Annotated[int, Meta(ge=1, le=86_400)] = 60  #: how long a code is for, in seconds
    name: Text = ""
    connections_max: Unlimited = -1  #: sessions that may hold the stream in this name at once; -1 is for no limit


class Block(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Somebody who is kept from one purpose for a while: under a name and, where that was proved, under a tag."""

    stream_id: str  #: empty for every stream and room of the app
    subscriber_id: Label
    identity: Label  #: the keyed tag of the subscriber; empty when it has none
    purpose: Purpose
    until: Time  #: seconds since 1970


class PushRegistration(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Where a subscriber's pushes go: one address for each type of service."""

    subscriber_id: Label
    pns_type: Label  #: `fcm` or `apn`
    sealed: Sealed  #: the address, as only the holder of the operator's key can read it
