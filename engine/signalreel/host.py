"""What the host itself may order: one frozen Struct per order, tagged on `host`, on the reel like any input.

Orders end what is live (`EndStream`, `KickSession`, `CloseRoom`) and write what is registered. An order is applied, or
refused with a definition: one of the catalogue where it is about a name or something live, else one of those below,
which no client ever gets.

`checked` is the door through which an order of a program becomes one that a record can hold.
"""

from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from signalreel.refusals import Refusal
from signalreel.registered import (
    BlockKind,
    IssuedToken,
    Label,
    RegisteredRoom,
    RegisteredStream,
    Subscriber,
    Time,
)

__all__ = (
    "HOST_COMMANDS",
    "HOST_REFUSALS",
    "NOT_REGISTERED",
    "NO_SUBSCRIBER_NAMED",
    "NO_SUCH_SESSION",
    "TOO_MANY_REGISTERED",
    "AnyHostCommand",
    "AnyRegistryCommand",
    "BlockSubscriber",
    "CloseRoom",
    "EndStream",
    "HostCommand",
    "IssueToken",
    "KickSession",
    "RegisterRoom",
    "RegisterStream",
    "RegisterSubscriber",
    "RegistryCommand",
    "RevokeTokens",
    "UnregisterPushes",
    "UnregisterRoom",
    "UnregisterStream",
    "UnregisterSubscriber",
    "checked",
)


class HostCommand(Struct, frozen=True, gc=False, kw_only=True, tag_field="host", rename="camel", omit_defaults=True):
    """Base of what the embedding server may order. `app` says where; `actor` who, for whoever reads the reel."""

    app: str = ""
    actor: str = ""


class EndStream(HostCommand, frozen=True, gc=False, tag="endStream"):
    """End a stream: its publisher gets `publish_finished`, its viewers `play_finished`.

    The publisher of a stream that is not live yet gets `publishTimeoutError` instead, because nothing has started.
    """

    stream_id: str = ""


class KickSession(HostCommand, frozen=True, gc=False, tag="kickSession"):
    """Close a session's transport, which ends everything it holds. Without an app, in whichever app it is."""

    session: str = ""


class CloseRoom(HostCommand, frozen=True, gc=False, tag="closeRoom"):
    """Send every member out of a room, ending what they publish and play in it."""

    room: str = ""


# ---------------------------------------------------------------- what is registered


class RegistryCommand(HostCommand, frozen=True, gc=False):
    """Base of the orders that change what is registered."""


class RegisterStream(RegistryCommand, frozen=True, gc=False, tag="registerStream"):
    """Register a stream, or replace what is registered under its id. What is live goes on.

    Players that wait for the stream wait by the new plan, or are told `play_finished` when nobody may wait any longer.
    """

    stream: RegisteredStream


class UnregisterStream(RegistryCommand, frozen=True, gc=False, tag="unregisterStream"):
    """Forget a stream with its tokens and subscribers. If it is live, it ends as by `EndStream`, as on real servers.

    A room of which it is the main track closes as by `CloseRoom`, and whoever waits for it is told `play_finished`.
    """

    stream_id: str = ""


class RegisterRoom(RegistryCommand, frozen=True, gc=False, tag="registerRoom"):
    """Register a room, or replace what is registered under its name. Who is in it stays."""

    room: RegisteredRoom


class UnregisterRoom(RegistryCommand, frozen=True, gc=False, tag="unregisterRoom"):
    """Forget a room with its tokens and subscribers. If anybody is in it, it closes as by `CloseRoom`."""

    room: str = ""


class IssueToken(RegistryCommand, frozen=True, gc=False, tag="issueToken"):
    """Note a one-time token that was issued. The stream need not be registered."""

    token: IssuedToken


class RevokeTokens(RegistryCommand, frozen=True, gc=False, tag="revokeTokens"):
    """Forget every token of a stream or room. Whoever has come in by one stays."""

    stream_id: str = ""


class RegisterSubscriber(RegistryCommand, frozen=True, gc=False, tag="registerSubscriber"):
    """Register a subscriber of a stream or room, or replace the one of that name. The stream need not be registered."""

    subscriber: Subscriber


class UnregisterSubscriber(RegistryCommand, frozen=True, gc=False, tag="unregisterSubscriber"):
    """Forget a subscriber of a stream or room, or all of them. What they hold goes on; a block would end it."""

    stream_id: str = ""
    subscriber_id: Label = ""  #: empty for all


class UnregisterPushes(RegistryCommand, frozen=True, gc=False, tag="unregisterPushes"):
    """Forget where a subscriber's push notifications go, on every device. A device that registers again replaces it."""

    subscriber_id: Label = ""  #: empty for every subscriber of the app


class BlockSubscriber(RegistryCommand, frozen=True, gc=False, tag="blockSubscriber"):
    """Keep a subscriber out until a time, and end in the same step what it holds of what the block is about.

    A block of the same subscriber, stream and purpose is replaced, whether it was longer or not. One whose time is past
    already, such as 0, lifts it.
    """

    stream_id: str = ""  #: empty for every stream and room of the app
    subscriber_id: Label = ""
    identity: Label = ""  #: the keyed tag that gates give the subscriber, so that another name does not help it
    kind: BlockKind = BlockKind.PUBLISH_PLAY
    until: Time = 0  #: seconds since 1970


AnyRegistryCommand = (
    RegisterStream
    | UnregisterStream
    | RegisterRoom
    | UnregisterRoom
    | IssueToken
    | RevokeTokens
    | RegisterSubscriber
    | UnregisterSubscriber
    | UnregisterPushes
    | BlockSubscriber
)

AnyHostCommand = EndStream | KickSession | CloseRoom | AnyRegistryCommand

HOST_COMMANDS: Final[dict[str, type[HostCommand]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyHostCommand).__args__
}
"""Every host command by its name on the reel."""


# ---------------------------------------------------------------- what an order is refused with

NOT_REGISTERED: Final = Refusal(
    "not_registered",
    cause="An order is about something registered, and nothing is registered under that name.",
    retryable=False,
    advice="Look at what is registered.",
    information="Nothing is registered under this name.",
    page=False,
)
TOO_MANY_REGISTERED: Final = Refusal(
    "too_many_registered",
    cause="The app has as many registrations of this kind as it may have.",
    retryable=True,
    advice="Unregister what is no longer needed.",
    information="The app has as many registrations of this kind as it may have.",
    page=False,
)
NO_SUBSCRIBER_NAMED: Final = Refusal(
    "no_subscriber_named",
    cause="An order about a subscriber names none.",
    retryable=False,
    advice="Name the subscriber.",
    information="The order needs the name of a subscriber.",
    page=False,
)
NO_SUCH_SESSION: Final = Refusal(
    "no_such_session",
    cause="An order is about a session that is not open, or not in that app.",
    retryable=False,
    advice="Nothing: it has gone.",
    information="No such session is open.",
    page=False,
)

HOST_REFUSALS: Final[dict[str, Refusal]] = {
    refusal.definition: refusal
    for refusal in (NOT_REGISTERED, TOO_MANY_REGISTERED, NO_SUBSCRIBER_NAMED, NO_SUCH_SESSION)
}
"""What an order can be refused with besides the entries of the catalogue, by definition."""


def checked(command: AnyHostCommand) -> AnyHostCommand:
    """Give an order back as a record would, so that what a program put together is bound by what a reel can hold.

    Raises `ValueError`, which says which field is wrong.
    """
    try:
        return _decoder.decode(_encode(command))
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError, TypeError) as error:
        raise ValueError(f"the order cannot stand on a reel: {error}") from None


_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final[msgspec.msgpack.Decoder[AnyHostCommand]] = msgspec.msgpack.Decoder(AnyHostCommand)
