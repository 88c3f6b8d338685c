"""The shell of Signalreel: the runtime, and what connects it to clients, disks and media.

    async with Runtime(SqliteReel("calls.reel"), media=FakeMedia()) as runtime:
        await runtime.attach(transport, app="live")

Importing this loads neither aiortc nor a web framework; the parts that need them are imported by their own names.
"""

from typing import TYPE_CHECKING

from signalreel_adapters.faces import offer as _offer

if TYPE_CHECKING:
    from signalreel_adapters.ice import SpreadIceServers, StaticIceServers, TurnRest
    from signalreel_adapters.media.fake import FakeMedia
    from signalreel_adapters.ports import (
        Clock,
        Delivery,
        DurableReel,
        Gate,
        IceServer,
        IceServers,
        Ids,
        Media,
        Peer,
        Report,
        SessionInfo,
        Transport,
        TransportClosed,
        Verdict,
    )
    from signalreel_adapters.reels.sqlite import SqliteReel
    from signalreel_adapters.runtime import (
        Counters,
        Limits,
        Overflow,
        RandomIds,
        Runtime,
        RuntimeStopped,
        SeededIds,
        Session,
        Subscription,
        SubscriptionLagged,
        SystemClock,
        TurnedAway,
    )
    from signalreel_adapters.transports.memory import MemoryClient, MemoryTransport

__all__ = (
    "Clock",
    "Counters",
    "Delivery",
    "DurableReel",
    "FakeMedia",
    "Gate",
    "IceServer",
    "IceServers",
    "Ids",
    "Limits",
    "Media",
    "MemoryClient",
    "MemoryTransport",
    "Overflow",
    "Peer",
    "RandomIds",
    "Report",
    "Runtime",
    "RuntimeStopped",
    "SeededIds",
    "Session",
    "SessionInfo",
    "SpreadIceServers",
    "SqliteReel",
    "StaticIceServers",
    "Subscription",
    "SubscriptionLagged",
    "SystemClock",
    "Transport",
    "TransportClosed",
    "TurnRest",
    "TurnedAway",
    "Verdict",
)

_offer(
    __name__,
    {
        "signalreel_adapters.ice": ("SpreadIceServers", "StaticIceServers", "TurnRest"),
        "signalreel_adapters.media.fake": ("FakeMedia",),
        "signalreel_adapters.ports": (
            "Clock",
            "Delivery",
            "DurableReel",
            "Gate",
            "IceServer",
            "IceServers",
            "Ids",
            "Media",
            "Peer",
            "Report",
            "SessionInfo",
            "Transport",
            "TransportClosed",
            "Verdict",
        ),
        "signalreel_adapters.reels.sqlite": ("SqliteReel",),
        "signalreel_adapters.runtime": (
            "Counters",
            "Limits",
            "Overflow",
            "RandomIds",
            "Runtime",
            "RuntimeStopped",
            "SeededIds",
            "Session",
            "Subscription",
            "SubscriptionLagged",
            "SystemClock",
            "TurnedAway",
        ),
        "signalreel_adapters.transports.memory": ("MemoryClient", "MemoryTransport"),
    },
)
