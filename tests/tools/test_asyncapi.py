"""The AsyncAPI document: whole, closed in itself, and true of everything that the engine says in its tour."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec
import pytest

from signalreel.commands import COMMANDS, STREAMLESS
from signalreel.identifiers import NAME_LENGTH_MAX, is_valid_name
from signalreel.machines import push
from signalreel.messages import MESSAGES, AnyMessage, CloseSession, encode_message
from signalreel.refusals import REFUSALS, Refusal
from tests.engine.tour import tour
from tools.specifications.answers import ANSWERS, NOTIFICATIONS
from tools.specifications.asyncapi import NAME_FORM, asyncapi

DOCUMENT: Final[dict[str, Any]] = json.loads(asyncapi())
SECTIONS: Final = ["asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"]


def references(value: object) -> Iterator[str]:
    """Every `$ref` below a value."""
    match value:
        case dict():
            fields = cast(dict[str, object], value)
            reference = fields.get("$ref")
            if isinstance(reference, str):
                yield reference
            for field in fields.values():
                yield from references(field)
        case list():
            for item in cast(list[object], value):
                yield from references(item)
        case _:
            pass


def at(reference: str) -> Any:  # noqa: ANN401 -- whatever stands there
    """What a `$ref` leads to (RFC 6901). Raises `KeyError`."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def name_of(message: AnyMessage) -> str:
    """Under which name the document has a message."""
    said = json.loads(encode_message(message))
    return f"notification.{said['definition']}" if said["command"] == "notification" else str(said["command"])


def schema_of(name: str) -> dict[str, Any]:
    """The schema of a message."""
    message = at(f"#/components/messages/{name}")
    return cast(dict[str, Any], at(message["payload"]["$ref"]))


def test_it_has_every_section() -> None:
    """In the third major version of the format."""
    assert list(DOCUMENT) == SECTIONS
    assert DOCUMENT["asyncapi"] == "3.0.0"


def test_every_reference_leads_somewhere() -> None:
    """And everything that is described is used."""
    found = set(references(DOCUMENT))
    described = {
        f"#/components/{kind}/{name}" for kind in ("messages", "schemas") for name in at(f"#/components/{kind}")
    }

    assert [reference for reference in found if not at(reference)] == []
    assert described - found == set()


def test_every_command_and_message_is_in_it() -> None:
    """With an operation each: commands are received, messages are sent."""
    sent = {name for name, kind in MESSAGES.items() if kind is not CloseSession and name != "notification"}
    sent |= {f"notification.{name}" for name in NOTIFICATIONS}
    expected = {f"receive.{name}" for name in COMMANDS} | {f"send.{name}" for name in sent}

    assert set(DOCUMENT["operations"]) == expected
    assert {one["action"] for name, one in DOCUMENT["operations"].items() if name.startswith("receive.")} == {"receive"}
    assert set(at("#/channels/session/messages")) == {f"command.{name}" for name in COMMANDS} | sent


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_fields_are_those_that_are_decoded(name: str) -> None:
    """The stream id is required where the server requires it, and has the form that it takes."""
    schema = schema_of(f"command.{name}")
    fields = {field.encode_name for field in msgspec.structs.fields(COMMANDS[name])}

    assert set(schema["properties"]) == {"command", *fields}
    assert schema["required"] == ["command"] if name in STREAMLESS else ["command", "streamId"]


@pytest.mark.parametrize("name", ["a", "A-Z_.9", ".", "..", "...", "", "a b", "a/b", "ä", "x" * 255, "x" * 256])
def test_the_form_of_a_name_is_the_rule_that_is_obeyed(name: str) -> None:
    """Said in the words of a schema."""
    fits = re.search(NAME_FORM, name) is not None and len(name) <= NAME_LENGTH_MAX

    assert fits == is_valid_name(name)


def test_the_catalogue_of_errors_is_in_it() -> None:
    """Each definition with its cause and what to do."""
    definitions = at("#/components/schemas/Error/properties/definition")["oneOf"]

    assert [one["const"] for one in definitions] == list(REFUSALS)
    assert all(one["description"] for one in definitions)


def test_what_the_engine_says_is_in_it() -> None:
    """Every message of the tour has the fields that the document says, and has all that it requires."""
    for message in (message for step in tour().steps for _, message in step.messages):
        if isinstance(message, CloseSession):
            continue
        schema = schema_of(name_of(message))
        said = set(json.loads(encode_message(message)))

        assert said - set(schema["properties"]) == set(), name_of(message)
        assert set(schema["required"]) - said == set(), name_of(message)


def test_what_answers_a_command_is_in_it() -> None:
    """Whatever the engine says to whoever gave a command, in the tour, stands among its replies."""
    for step in tour().steps:
        command = step.record.command
        if command is None:
            continue
        name = str(type(command).__struct_config__.tag)
        replies = {*ANSWERS.get(name, ()), "error"}

        assert {name_of(message) for to, message in step.messages if to == step.record.session} - replies == set(), name
        if step.refused:
            assert step.refused in DOCUMENT["operations"][f"receive.{name}"]["x-errors"], name


def test_why_a_push_command_is_refused_is_in_it() -> None:
    """These refusals are told by notifications, each under its own name: whatever the engine can answer is listed."""
    refusals = {value.definition for value in vars(push).values() if isinstance(value, Refusal)}
    listed = {reply.removeprefix("notification.") for reply in ANSWERS["registerPushNotificationToken"]}

    assert listed - {"registerPushNotificationToken"} == refusals
    assert refusals - set(NOTIFICATIONS) == set()
