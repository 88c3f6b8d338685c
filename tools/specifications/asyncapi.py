"""The WebSocket protocol as an AsyncAPI 3 document: commands received, messages sent, and what answers what.

Schemas are those of the Structs that the server really decodes and encodes.
"""

import json
from typing import Any, Final

import msgspec

from signalreel import refusals
from signalreel.commands import COMMANDS, STREAMLESS
from signalreel.engine import TABLES
from signalreel.header import ENGINE_VERSION
from signalreel.identifiers import NAME_LENGTH_MAX
from signalreel.machines.table import Refused
from signalreel.messages import MESSAGES, CloseSession, Error, Notification
from tools.specifications.answers import ANSWERS, NOTIFICATIONS
from tools.specifications.writing import paragraph

__all__ = ("NAME_FORM", "asyncapi")

NAME_FORM: Final = r"^(?!\.{1,2}$)[A-Za-z0-9_.\-]+$"
"""How the name of a stream looks, as JSON Schema says it (ECMA-262, where `$` is the end and not a line's)."""

_CHANNEL: Final = "session"
_SCHEMAS: Final = "#/components/schemas/"

_DESCRIPTION: Final = """\
Signaling for WebRTC over a WebSocket: publishing, playing, peer-to-peer calls and rooms. Each message is one JSON
object in one text frame; `command` says what it is. Answers carry no request ids: they belong to a command by their
`streamId`. Fields that the server does not know are ignored, and what is no command is not answered.
"""

Document = dict[str, Any]


def asyncapi() -> str:
    """Write the document, as JSON."""
    sent = [name for name, kind in MESSAGES.items() if kind not in {CloseSession, Notification}]
    heard = {**{name: name for name in sent}, **{f"notification.{name}": name for name in NOTIFICATIONS}}
    document: Document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Signalreel signaling",
            "version": ENGINE_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "plain": {"host": "localhost:5080", "protocol": "ws", "description": "As `signalreel serve` listens."},
            "secured": {"host": "localhost:5443", "protocol": "wss", "description": "Behind whatever ends TLS."},
        },
        "channels": {
            _CHANNEL: {
                "address": "/{app}/websocket",
                "title": "A session",
                "description": "One client's connection. What happens in one app is nothing to another.",
                "parameters": {"app": {"description": "The app's name.", "examples": ["WebRTCAppEE", "live"]}},
                "messages": {
                    **{f"command.{name}": _ref("messages", f"command.{name}") for name in COMMANDS},
                    **{name: _ref("messages", name) for name in heard},
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            **{f"receive.{name}": _receiving(name) for name in COMMANDS},
            **{f"send.{name}": _sending(name) for name in heard},
        },
        "components": {"messages": _messages(sent), "schemas": _schemas()},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _ref(section: str, name: str) -> Document:
    return {"$ref": f"#/components/{section}/{name}"}


def _of_channel(name: str) -> Document:
    return {"$ref": f"#/channels/{_CHANNEL}/messages/{name}"}


def _receiving(name: str) -> Document:
    answers = ANSWERS.get(name, ())
    definitions = _errors_of(name)
    operation: Document = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": _first_line(COMMANDS[name]),
        "messages": [_of_channel(f"command.{name}")],
    }
    if answers or definitions:
        replies = [*answers, *(["error"] if definitions else [])]
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{_CHANNEL}"},
            "messages": [_of_channel(answer) for answer in replies],
        }
    if definitions:
        operation["x-errors"] = definitions
    return operation


def _sending(name: str) -> Document:
    definition = name.partition("notification.")[2]
    summary = _notified(definition) if definition else _first_line(MESSAGES[name])
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": summary,
        "messages": [_of_channel(name)],
    }


def _errors_of(name: str) -> list[str]:
    """The definitions with which a command is refused: before it reaches a machine, and by the machines' rows."""
    kind = COMMANDS[name]
    before = [] if name in STREAMLESS else [refusals.NO_STREAM_NAME_SPECIFIED.definition]
    named = {"stream_id", "room", "main_track"} & {field.name for field in msgspec.structs.fields(kind)}
    before += [refusals.INVALID_STREAM_NAME.definition] if named else []
    rows = [
        line.action.refusal.definition
        for table in TABLES.values()
        for line in table.rows
        if line.input is kind and isinstance(line.action, Refused)
    ]
    return list(dict.fromkeys([*before, *rows]))


def _messages(sent: list[str]) -> Document:
    found: Document = {}
    for name, kind in COMMANDS.items():
        found[f"command.{name}"] = _message(name, paragraph(kind), f"{_SCHEMAS}{kind.__name__}")
    for name in sent:
        found[name] = _message(name, paragraph(MESSAGES[name]), f"{_SCHEMAS}{MESSAGES[name].__name__}")
    for definition in NOTIFICATIONS:
        name = f"notification.{definition}"
        found[name] = _message(name, _notified(definition), f"{_SCHEMAS}{name}")
    return found


def _message(name: str, text: str, schema: str) -> Document:
    return {
        "name": name,
        "title": name,
        "summary": text.partition("\n")[0],
        "description": text,
        "payload": {"$ref": schema},
    }


def _notified(definition: str) -> str:
    notified = NOTIFICATIONS[definition]
    return f"To {notified.to}: {notified.when}."


def _schemas() -> Document:
    kinds = [*COMMANDS.values(), *(kind for kind in MESSAGES.values() if kind is not CloseSession)]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    for name, kind in COMMANDS.items():
        if name not in STREAMLESS:
            schema = schemas[kind.__name__]
            schema["required"] = [*schema["required"], "streamId"]
            schema["properties"]["streamId"] = {"type": "string", "pattern": NAME_FORM, "maxLength": NAME_LENGTH_MAX}
    notification = schemas.pop(Notification.__name__)
    for definition, notified in NOTIFICATIONS.items():
        schemas[f"notification.{definition}"] = {
            "type": "object",
            "title": definition,
            "properties": {
                "command": {"const": "notification"},
                "definition": {"const": definition},
                **{name: notification["properties"][name] for name in (*notified.fields, *notified.sometimes)},
            },
            "required": ["command", "definition", *notified.fields],
        }
    schemas[Error.__name__]["properties"]["definition"] = {
        "oneOf": [
            {"const": one.definition, "description": f"{one.cause} {one.advice}", "x-retryable": one.retryable}
            for one in refusals.REFUSALS.values()
        ]
    }
    return schemas


def _first_line(kind: type) -> str:
    return paragraph(kind).partition("\n")[0]
