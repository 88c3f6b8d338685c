"""The OpenAPI 3.1 document of the interface, made from the table of operations and the Structs that travel.

    document(OPERATIONS)

What is told here is what the server does, because it dispatches by the same table and decodes into the same Structs.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from signalreel.header import ENGINE_VERSION
from signalreel.identifiers import NAME_LENGTH_MAX
from signalreel_adapters.server.rest.operations import OPERATIONS
from signalreel_adapters.server.rest.shapes import Result
from signalreel_adapters.server.rest.table import PARAMETERS, Form, Operation, Parameter

__all__ = ("document", "document_bytes")

_BRACES: Final = re.compile(r"\{([a-z_]+)\}")
_REFERENCES: Final = "#/components/schemas/{name}"
_ALWAYS: Final = (400, 401, 403, 503)
_WITH_BODY: Final = (408, 413, 415)
_MEANINGS: Final = {
    400: "Something in the request does not fit; the message says what.",
    401: "There is an operator's key, and this request does not show it.",
    403: "There is no operator's key, and this request is not one of the machine itself.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand; the message is a definition or a sentence.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The content type is not application/json.",
    503: "The server is starting, stopping or cannot record; try again later.",
}
_NAME_PATTERN: Final = "^[A-Za-z0-9_.-]+$"


def document(operations: Sequence[Operation] = OPERATIONS) -> dict[str, Any]:
    """Make the document."""
    types = list(dict.fromkeys([*(one.answer for one in operations), *(one.body for one in operations if one.body)]))
    schemas, components = msgspec.json.schema_components([*types, Result], ref_template=_REFERENCES)
    schema_of = dict(zip([*types, Result], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = "/" + _BRACES.sub(lambda found: "{" + PARAMETERS[found[1]].wire + "}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Signalreel",
            "version": ENGINE_VERSION,
            "summary": "What an operator can ask of the server, with the familiar paths and fields.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "/{app}/rest/v2",
                "variables": {"app": {"default": "live", "description": "The app; nothing crosses apps."}},
            }
        ],
        "security": [{"operator": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "operator": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The operator's key. A server without one answers programs on its own machine only.",
                }
            },
            "schemas": dict(sorted(components.items())),
        },
    }


def document_bytes() -> bytes:
    """Give the document as it stands under specs/ and is served."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2) + b"\n"


def _operation(operation: Operation, schema_of: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    parameters = [_parameter(PARAMETERS[name], "path") for name in _BRACES.findall(operation.path)]
    parameters += [_parameter(one, "query") for one in operation.query.values()]
    always = _ALWAYS[-1:] if operation.is_open else _ALWAYS
    fails = sorted({*always, *operation.fails, *(_WITH_BODY if operation.body is not None else ())})
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": schema_of[operation.answer]}},
            },
            **{
                str(status): {
                    "description": f"{HTTPStatus(status).phrase}. {_MEANINGS[status]}",
                    "content": {"application/json": {"schema": schema_of[Result]}},
                }
                for status in fails
            },
        },
    }
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of[operation.body]}},
        }
    if operation.is_open:
        described["security"] = []
    return described


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    match parameter.form:
        case Form.INTEGER:
            schema = {"type": "integer", "minimum": parameter.least, "maximum": parameter.most}
        case Form.NAME:
            schema |= {"pattern": _NAME_PATTERN, "maxLength": NAME_LENGTH_MAX}
        case Form.TEXT if parameter.choices:
            schema |= {"enum": list(parameter.choices)}
        case Form.TEXT | Form.LIST:
            schema |= {"minLength": 1}
    required = place == "path" or parameter.required
    return {
        "name": parameter.wire,
        "in": place,
        "required": required,
        "description": parameter.meaning,
        "schema": schema,
    }
