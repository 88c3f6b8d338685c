"""`signalreel_adapters.server.rest.openapi`: the document says what the server does."""

from typing import Any

import msgspec
import pytest

from signalreel_adapters.server.rest.openapi import document, document_bytes
from signalreel_adapters.server.rest.operations import OPERATIONS
from tests.repository import ROOT


def references(value: object) -> set[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        inner = set().union(*(references(one) for one in value.values())) if value else set()
        return inner | ({str(value["$ref"])} if "$ref" in value else set())
    if isinstance(value, list):
        return set().union(*(references(one) for one in value)) if value else set()
    return set()


def test_the_document_is_the_one_in_specs() -> None:
    """What is served and what is read in the repository are the same octets."""
    assert (ROOT / "specs" / "openapi.json").read_bytes() == document_bytes()


def test_every_operation_is_described() -> None:
    """With its parameters, its body and its answers, under an id of its own."""
    paths: dict[str, Any] = document()["paths"]
    described = [(method, path, one) for path, methods in paths.items() for method, one in methods.items()]

    assert len(described) == len(OPERATIONS)
    assert len({one["operationId"] for _, _, one in described}) == len(OPERATIONS)
    for _, path, one in described:
        in_path = {parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "path"}
        assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        assert "200" in one["responses"]


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there."""
    whole = document()

    names = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert references(whole) <= names
    assert references(whole) == names


@pytest.mark.parametrize("name", ["Broadcast", "Token", "Result", "NewSubscriber"])
def test_schemas_have_the_familiar_fields(name: str) -> None:
    """As clients spell them."""
    fields = document()["components"]["schemas"][name]["properties"].keys()

    assert {
        "Broadcast": {"streamId", "webRTCViewerLimit", "expireDurationMS", "plannedStartDate", "subTrackStreamIds"},
        "Token": {"tokenId", "streamId", "expireDate", "type", "roomId"},
        "Result": {"success", "message", "dataId", "errorId"},
        "NewSubscriber": {"subscriberId", "b32Secret", "type"},
    }[name] <= fields


def test_it_is_json_that_a_person_can_read() -> None:
    """Lines, with a line end behind the last."""
    octets = document_bytes()

    assert msgspec.json.decode(octets) == msgspec.json.decode(msgspec.json.encode(document()))
    assert octets.endswith(b"}\n")
    assert octets.count(b"\n") > 500
