"""Access control: gates that verify tokens, codes and blocks in front of the runtime.

Every gate here answers for the stream, room and purpose of a command, and records a keyed tag in place of whatever was
shown. `rights` says what a credential opens, `chain` how gates are put together. `JwtGate` is imported from its own
module, because it needs the extra `signalreel[access]`.
"""

from signalreel.registered import BlockKind, Purpose
from signalreel_adapters.access.backoff import BackoffLimits
from signalreel_adapters.access.blocks import BlockGate, Blocks, end_sessions
from signalreel_adapters.access.chain import AllOf, ByPurpose, ClosedGate, FirstThatKnows, OpenGate, PerApp
from signalreel_adapters.access.hashes import HashGate, hash_token
from signalreel_adapters.access.onetime import Issued, MemoryTokens, OneTimeGate, TokenStore
from signalreel_adapters.access.policy import PolicyGate
from signalreel_adapters.access.registry import RegistrySubscribers, RegistryTokens
from signalreel_adapters.access.rights import Check, Rooms
from signalreel_adapters.access.rooms import LiveRooms
from signalreel_adapters.access.sealing import Sealing
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.access.totp import MemorySubscribers, Subscriber, SubscriberStore, TotpGate
from signalreel_adapters.access.webhook import WebhookGate

__all__ = (
    "AllOf",
    "BackoffLimits",
    "BlockGate",
    "BlockKind",
    "Blocks",
    "ByPurpose",
    "Check",
    "ClosedGate",
    "FirstThatKnows",
    "HashGate",
    "Issued",
    "LiveRooms",
    "MemorySubscribers",
    "MemoryTokens",
    "OneTimeGate",
    "OpenGate",
    "PerApp",
    "PolicyGate",
    "Purpose",
    "RegistrySubscribers",
    "RegistryTokens",
    "Rooms",
    "Sealing",
    "Subscriber",
    "SubscriberStore",
    "Tags",
    "TokenStore",
    "TotpGate",
    "WebhookGate",
    "end_sessions",
    "hash_token",
)
