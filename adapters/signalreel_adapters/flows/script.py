"""A flow as data: its header, and the steps that its lines say. Read by `parser`, performed by `performer`."""

from typing import Final, Literal

from msgspec import Struct

from signalreel.events import AnyEvent
from signalreel.host import AnyHostCommand
from signalreel.settings import Settings
from signalreel_adapters.access import Purpose
from signalreel_adapters.flows.patterns import Pattern

__all__ = (
    "FAKE_MEDIA",
    "SEVERAL_APPS",
    "Allow",
    "AnyOrder",
    "Connect",
    "Disk",
    "FindCandidate",
    "Flow",
    "Hear",
    "IsClosed",
    "Issue",
    "Leave",
    "Lose",
    "Measure",
    "MediaWish",
    "Order",
    "PassTime",
    "Report",
    "Resize",
    "Say",
    "ServerStep",
    "Silence",
    "Step",
    "StopServer",
    "needs_of",
)

FAKE_MEDIA: Final = "fake media"
SEVERAL_APPS: Final = "an address without a path, because its clients connect to several apps"
"""What a flow needs whose descriptions connect to nothing, and which goes on as if they did."""

MediaWish = Literal["any", "fake", "silent", "refuses remote", "refuses local"]
"""What a flow's media must be: whatever there is; fake; or fake that never connects, or refuses every description."""


class Step(Struct, frozen=True, kw_only=True):
    """One line of a flow. `line` counts from 1; `source` is its text, for whoever reads why it failed."""

    line: int
    source: str
    proves: tuple[str, ...] = ()
    """The items of the protocol that what is heard here shows; or what is not heard."""


class Say(Step, frozen=True, kw_only=True):
    """`anna > {...}`: a client says something; a string is sent as the raw text that it holds."""

    client: str
    pattern: Pattern


class Hear(Step, frozen=True, kw_only=True):
    """`anna < {...}`: the next message of the client is this one."""

    client: str
    pattern: Pattern


class Allow(Step, frozen=True, kw_only=True):
    """`anna <? {...}`: from here on such messages may come to the client, at any time, any number of them."""

    client: str
    pattern: Pattern


class Silence(Step, frozen=True, kw_only=True):
    """`anna < nothing`: whatever happened so far, it tells the client nothing more."""

    client: str


class AnyOrder(Step, frozen=True, kw_only=True):
    """`in any order`, and indented lines below it: all of these come, in whichever order."""

    hears: tuple[Hear, ...]


class Connect(Step, frozen=True, kw_only=True):
    """`anna connects` or `anna connects to APP`. The first line of a client that is no other one connects it."""

    client: str
    app: str


class Leave(Step, frozen=True, kw_only=True):
    """`anna leaves`: the client closes its connection in good order."""

    client: str


class IsClosed(Step, frozen=True, kw_only=True):
    """`anna is closed 1012`: the server closes the client's connection, with this code; None for any code."""

    client: str
    code: int | None


class StopServer(Step, frozen=True, kw_only=True):
    """`server stops`."""


class Report(Step, frozen=True, kw_only=True):
    """`server reports {"event": ...}`: the world reports something, as it would stand on a reel."""

    event: AnyEvent


class Order(Step, frozen=True, kw_only=True):
    """`server orders {"host": ...}`: the host gives a command of its own."""

    order: AnyHostCommand


class Disk(Step, frozen=True, kw_only=True):
    """`server loses its disk`, `server finds its disk`: whether the reel can be written."""

    works: bool


class Lose(Step, frozen=True, kw_only=True):
    """`server loses stream ID`: the media of that stream breaks off; or, `in silence`, nothing comes any more."""

    stream_id: str
    silent: bool = False


class Measure(Step, frozen=True, kw_only=True):
    """`server measures ID TARGET VIDEO AUDIO`: bit/s of every playback of that stream."""

    stream_id: str
    target: int
    video: int
    audio: int


class Resize(Step, frozen=True, kw_only=True):
    """`server sends ID in height N`: every playback of that stream is sent a picture of this height from now on."""

    stream_id: str
    height: int


class FindCandidate(Step, frozen=True, kw_only=True):
    """`server finds a candidate for ID`: for its publisher, and for everyone who plays it."""

    stream_id: str


class PassTime(Step, frozen=True, kw_only=True):
    """`server lets N ms pass`: a flow that has such a line runs on a clock of its own, which stands still otherwise."""

    milliseconds: int


class Issue(Step, frozen=True, kw_only=True):
    """`server issues {name} to publish ID`: a token for a stream.

    `... to play ID as USER`: the present code of a subscriber. `... to push as USER`: a web token for push commands.
    """

    name: str
    purpose: Purpose | None  #: None for push commands, which are about no stream
    stream_id: str = ""
    subscriber_id: str = ""


ServerStep = StopServer | Report | Order | Disk | Lose | Measure | Resize | FindCandidate | PassTime | Issue


class Flow(Struct, frozen=True, kw_only=True):
    """A whole file.

    `access` switches access control on, by tokens and codes that the server issues; `refuse` stands for one that
    refuses the commands it names, each with a definition.
    """

    file: str
    title: str
    app: str
    media: MediaWish = "any"
    settings: Settings | None = None
    access: bool = False
    refuse: dict[str, str] = {}
    steps: tuple[Step, ...] = ()


def needs_of(flow: Flow) -> tuple[str, ...]:
    """Say what a flow needs that not every server offers, in words for whoever wonders why it was left out."""
    needs = {
        FAKE_MEDIA: flow.media == "fake",
        SEVERAL_APPS: len({step.app for step in flow.steps if isinstance(step, Connect)}) > 1,
        "media that fails": flow.media not in {"any", "fake"},
        "settings of its own": flow.settings is not None,
        "access control of its own": flow.access or bool(flow.refuse),
        "a hand on the server": any(isinstance(step, ServerStep) for step in flow.steps),
    }
    return tuple(need for need, is_needed in needs.items() if is_needed)
