"""From a request to an operation and back: who asks, which operation it is, whether what was sent fits, and the answer.

In that order, so that whoever is no operator learns nothing, not even which paths there are. Every answer is JSON, and
what goes wrong is a Result with a sentence.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import anyio
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from signalreel.identifiers import is_valid_name
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest.openapi import document_bytes
from signalreel_adapters.server.rest.operations import OPERATIONS
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, not_found, unavailable
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Result
from signalreel_adapters.server.rest.table import PARAMETERS, Call, Operation, path_pattern, read_parameter

__all__ = ("BODY_BYTES_MAX", "BODY_S_MAX", "METHODS", "Rest")

BODY_BYTES_MAX: Final = 65_536
"""One body. The largest object that can be registered is smaller."""

BODY_S_MAX: Final = 10
"""Seconds for a body to come."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
"""Methods that are heard at all. Those that a path is not for are answered with the ones that it is for."""

_JSON: Final = "application/json"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_log: Final = Log("signalreel.rest")


class Rest:
    """The interface of one runtime. `answer` is the endpoint of the path `/{app}/rest/v2/{path}`, for every method."""

    def __init__(
        self,
        services: Services,
        operators: Operators,
        *,
        operations: Sequence[Operation] = OPERATIONS,
        document: Callable[[], bytes] = document_bytes,
        body_s_max: float = BODY_S_MAX,
    ) -> None:
        self._services = services
        self._operators = operators
        self._document = document
        self._body_s_max = body_s_max
        self._paths = [(path_pattern(one.path), one) for one in operations]

    async def answer(self, request: Request) -> Response:
        """Answer one request. Never raises because of it."""
        try:
            return await self._answer(request)
        except RestProblem as problem:
            headers = {"Allow": problem.allow} if problem.allow else {}
            return _response(Result(success=False, message=problem.why), problem.status, headers)
        except ClientDisconnect:
            return _response(Result(success=False, message="the request was not whole"), HTTPStatus.BAD_REQUEST)
        except Exception as error:  # noqa: BLE001 - a bug of ours fails one request, and is written down
            _log.failure("a request failed", error)
            return _response(Result(success=False, message="server_error_check_logs"), HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _answer(self, request: Request) -> Response:
        path, app = str(request.path_params["path"]), str(request.path_params["app"])
        matches = [(found, one) for pattern, one in self._paths if (found := pattern.fullmatch(path)) is not None]
        if not any(one.is_open for _, one in matches):
            objection = self._operators.objection(request)
            if objection is not None:
                return objection.response()
        if not is_valid_name(app):
            raise not_found("an app's name has at most 255 characters: A-Z a-z 0-9 - _ .")
        if path == "openapi.json" and request.method in {"GET", "HEAD"}:
            return Response(self._document(), headers=_HEADERS, media_type=_JSON)
        named, operation = _chosen(matches, request.method)
        if not self._services.runtime.is_ready and not operation.is_open:
            raise unavailable("not_initialized_yet")
        given = _given(operation, named, request)
        body = await _body(operation, request, self._body_s_max)
        answer = await operation.do(self._services, Call(app, given, body))
        return _response(answer, HTTPStatus.OK)


def _chosen(matches: Sequence[tuple[Any, Operation]], method: str) -> tuple[dict[str, str], Operation]:
    """Give the operation that is asked for. The first path that fits is meant, whatever its methods are."""
    if not matches:
        raise not_found("there is no such path; openapi.json says which there are")
    meant = matches[0][1].path
    asked = "GET" if method == "HEAD" else method
    for found, operation in matches:
        if operation.path == meant and operation.method == asked:
            return found.groupdict(), operation
    allowed = ", ".join(sorted({one.method for _, one in matches if one.path == meant}))
    raise RestProblem(HTTPStatus.METHOD_NOT_ALLOWED, f"this path is for {allowed}", allow=allowed)


def _given(operation: Operation, named: dict[str, str], request: Request) -> dict[str, Any]:
    """Read the parameters of path and query; those of the query that nobody knows are ignored."""
    given: dict[str, Any] = {name: read_parameter(PARAMETERS[name], text) for name, text in named.items()}
    for name, parameter in operation.query.items():
        texts = request.query_params.getlist(parameter.wire)
        if len(texts) > 1:
            raise bad_request(f"{parameter.wire} is given more than once")
        if texts and texts[0]:
            given[name] = read_parameter(parameter, texts[0])
        elif parameter.required:
            raise bad_request(f"{parameter.wire} is missing")
    return given


async def _body(operation: Operation, request: Request, seconds_max: float) -> object:
    """Read the body as far as there is one, and decode it where the operation has use for it."""
    data = await _octets(request, seconds_max)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if (data or kind) and kind != _JSON and operation.method != "GET":
        # Also where no body is wanted: no form of another site's page can then be taken for a request.
        raise RestProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content type must be {_JSON}")
    if operation.body is None:
        return None
    try:
        return msgspec.json.decode(data or b"{}", type=operation.body)
    except msgspec.ValidationError as error:
        raise bad_request(f"the body does not fit: {error}") from None
    except (ValueError, RecursionError):
        raise bad_request("the body is no JSON") from None


async def _octets(request: Request, seconds_max: float) -> bytes:
    data = bytearray()
    try:
        with anyio.fail_after(seconds_max):
            async for chunk in request.stream():
                data += chunk
                if len(data) > BODY_BYTES_MAX:
                    raise RestProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_BYTES_MAX} bytes")
    except TimeoutError:
        raise RestProblem(HTTPStatus.REQUEST_TIMEOUT, f"a body must come within {seconds_max:g} seconds") from None
    return bytes(data)


def _response(answer: object, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(cast(Any, answer)), status, headers={**_HEADERS, **(headers or {})}, media_type=_JSON
    )
