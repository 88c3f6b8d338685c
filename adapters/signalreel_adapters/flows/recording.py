"""Writing a flow from what clients and a server really said to each other, so that it holds at the next call too.

What differs from call to call becomes a gap: descriptions, candidates, the ids that the server drew, bitrates. What is
sent once in a while without being asked for is left out (`ping` and its answer) or allowed at any time (candidates of
the server, bitrates). What a server words or sizes as it likes is a gap too: sentences, waiting times, its ICE servers.

Secrets never come into a flow: what the engine takes off a command before it is recorded is emptied here as well,
wherever it stands, and left out where it is told again.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal, cast

from msgspec import Struct

from signalreel.decoding import SECRETS
from signalreel_adapters.flows import patterns
from signalreel_adapters.flows.patterns import NAME, Anything, ListOf, ObjectOf, Pattern, Text, write_pattern

__all__ = ("Direction", "Exchange", "write_flow")

Direction = Literal["send", "receive", "leave", "closed"]
"""Who did it: the client says or leaves, the server is heard or closes."""

_OF_THE_SERVER: Final = frozenset(
    {
        *SECRETS,
        "streamInfo",
        "idMapping",
        "information",
        "retryAfterMs",
        "stunServerUri",
        "turnServerUsername",
        "turnServerCredential",
    }
)
"""What one server tells otherwise than another, or at another time; the last two let whoever knows them use a relay."""

_NO_JSON: Final = "(a text that named a secret)"
_SHORT: Final = 4
"""An id of fewer characters is looked for only as a whole text, because it may stand in other texts by chance."""


class Exchange(Struct, frozen=True):
    """One message: who is the client, whether it was sent or received by it, and its text.

    Or the end of its connection: that the client left, or that the server closed it, with the code as text. `app` is
    where the client has connected; empty for where the flow's clients do.
    """

    client: str
    direction: Direction
    text: str = ""
    app: str = ""


def write_flow(exchanges: Sequence[Exchange], *, title: str, app: str) -> str:
    """Write what was said, in its order, as the text of a flow."""
    writer = _Writer(app)
    for exchange in exchanges:
        writer.add(exchange)
    header = [f"flow: {' '.join(title.split()) or 'recorded'}", f"app: {app}"]
    if writer.needs_media:
        header.append("media: fake")
    return "\n".join([*header, "", *writer.lines, ""])


class _Writer:
    """What is known of a recording up to a message."""

    def __init__(self, app: str) -> None:
        self.lines: list[str] = []
        self.needs_media = False
        self._app = app
        self._connected: set[str] = set()
        self._secrets: set[str] = set()
        self._descriptions: dict[str, str] = {}
        self._candidates: set[str] = set()
        self._drawn: dict[str, str] = {}
        self._asked_for_id: set[str] = set()
        self._allowed: set[tuple[str, str]] = set()

    def add(self, exchange: Exchange) -> None:
        if exchange.client not in self._connected:
            self._connected.add(exchange.client)
            if exchange.app not in {"", self._app}:
                self.lines.append(f"{exchange.client} connects to {exchange.app}")
        if exchange.direction == "leave":
            self.lines.append(f"{exchange.client} leaves")
        elif exchange.direction == "closed":
            self.lines.append(f"{exchange.client} is closed {exchange.text}")
        else:
            self._add_message(exchange)

    def _add_message(self, exchange: Exchange) -> None:
        try:
            decoded: object = json.loads(exchange.text)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            if exchange.direction == "send":
                self.lines.append(f"{exchange.client} > {json.dumps(self._raw(exchange.text), ensure_ascii=False)}")
            return
        message = cast(dict[str, Any], decoded)
        if message.get("command") in {"ping", "pong"}:
            return
        if exchange.direction == "send":
            self._add_sent(exchange.client, message)
        else:
            self._add_received(exchange.client, message)

    def _add_sent(self, client: str, message: dict[str, Any]) -> None:
        fields: list[tuple[str, Pattern]] = []
        for name, value in message.items():
            text = value if isinstance(value, str) else ""
            if name == "sdp" and text and message.get("type") in {"offer", "answer"}:
                self._descriptions[text] = str(message["type"])
                fields.append((name, Text(f"{{{message['type']}}}")))
            elif name == "candidate" and text:
                self._candidates.add(text)
                fields.append((name, Text("{candidate}")))
            else:
                fields.append((name, self._field(name, value, is_heard=False)))
        if message.get("command") == "joinRoom" and not message.get("streamId"):
            self._asked_for_id.add(client)
        self.lines.append(f"{client} > {write_pattern(ObjectOf(tuple(fields)))}")

    def _add_received(self, client: str, message: dict[str, Any]) -> None:
        if message.get("definition") == "joinedTheRoom" and client in self._asked_for_id:
            self._asked_for_id.discard(client)
            self._drawn.setdefault(str(message.get("streamId")), f"id{len(self._drawn) + 1}")
        is_relayed = message.get("candidate") in self._candidates or not message.get("candidate")
        if message.get("command") == "takeCandidate" and not is_relayed:
            self._allow(client, message, ("command", "streamId"))
        elif message.get("definition") == "bitrateMeasurement":
            self._allow(client, message, ("command", "definition", "streamId"))
        else:
            fields = tuple((name, self._received_field(name, value)) for name, value in message.items())
            self.lines.append(f"{client} < {write_pattern(ObjectOf(fields, is_open=True))}")

    def _received_field(self, name: str, value: object) -> Pattern:
        if name == "sdp":
            kind = self._descriptions.get(str(value))
            self.needs_media = self.needs_media or kind is None
            return Text(f"{{{kind}}}") if kind else Anything()
        if name == "candidate" and value:
            return Text("{candidate}")
        return self._field(name, value, is_heard=True)

    def _allow(self, client: str, message: dict[str, Any], names: Sequence[str]) -> None:
        """Allow a kind of message where it first comes, once for each client."""
        pattern = ObjectOf(
            tuple((name, self._pattern(message[name], is_heard=True)) for name in names if name in message),
            is_open=True,
        )
        written = write_pattern(pattern)
        if (client, written) not in self._allowed:
            self._allowed.add((client, written))
            self.lines.append(f"{client} <? {written}")

    def _field(self, name: str, value: object, *, is_heard: bool) -> Pattern:
        """Write a field, wherever it stands; of a secret no more than its kind, for another kind is another answer."""
        if is_heard and name in _OF_THE_SERVER:
            return Anything()
        if name not in SECRETS or value is None:
            return self._pattern(value, is_heard=is_heard)
        match value:
            case dict():
                return ObjectOf(())
            case list():
                return ListOf(())
            case _:
                self._secrets.add(str(value))
                return Text("")

    def _raw(self, text: str) -> str:
        """Give a text that is no message as it may be said again: one that names a secret is another one."""
        return _NO_JSON if any(name in text for name in SECRETS) or self._tells_secret(text) else text

    def _tells_secret(self, text: str) -> bool:
        return any(len(secret) >= _SHORT and secret in text for secret in self._secrets)

    def _pattern(self, value: object, *, is_heard: bool = False) -> Pattern:
        match value:
            case str():
                return self._text(value, is_heard=is_heard)
            case list():
                items = cast(list[object], value)
                return ListOf(tuple(self._pattern(item, is_heard=is_heard) for item in items))
            case dict():
                fields = cast(dict[str, object], value).items()
                return ObjectOf(tuple((name, self._field(name, field, is_heard=is_heard)) for name, field in fields))
            case _:
                return patterns.Literal(cast(float | bool | None, value))

    def _text(self, text: str, *, is_heard: bool) -> Pattern:
        if NAME.search(text):  # What was said has the look of a name here: a space says that it is none.
            if is_heard:
                return Anything()
            text = NAME.sub(r"{ \1}", text)
        if is_heard and self._tells_secret(text):
            return Anything()
        for drawn, name in self._drawn.items():
            if text == drawn or len(drawn) >= _SHORT:
                text = text.replace(drawn, f"{{{name}}}")
        return Text(text)
