"""`signalreel_adapters.server.rest.interface`: who may ask, and what a request is."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request

from signalreel.identifiers import NAME_LENGTH_MAX
from signalreel_adapters import Runtime
from signalreel_adapters.server import create_app
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest.interface import BODY_BYTES_MAX, Rest
from signalreel_adapters.server.rest.operations import OPERATIONS
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Version
from signalreel_adapters.server.rest.table import Call, Operation
from signalreel_adapters.testing import FailingReel
from tests.adapters.server.rest.scenes import operating

pytestmark = pytest.mark.anyio

KEY = b"0FtbV3hpCz-eT1Wj_7mYqQ"


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


def concrete(operation: Operation) -> str:
    """A path of an operation with something in its places."""
    filled = operation.path
    for name, value in (
        ("{id}", "s"),
        ("{room}", "r"),
        ("{subscriber_id}", "bob"),
        ("{offset}", "0"),
        ("{size}", "5"),
        ("{search}", "x"),
        ("{seconds}", "60"),
        ("{kind}", "play"),
    ):
        filled = filled.replace(name, value)
    return filled


def by_name(operation: Operation) -> str:
    """Show a parametrised operation by its name."""
    return operation.name


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
async def test_every_operation_asks_for_the_key(operation: Operation) -> None:
    """Without it nothing is done or told, from this machine too; only liveness is open."""
    async with operating(operators=Operators(KEY)) as operator:
        without = await operator.ask(operation.method, concrete(operation))
        wrong = await operator.ask(operation.method, concrete(operation), headers={"authorization": "Bearer x"})
        await operator.runtime.idle()

        assert {without[0], wrong[0]} == ({200} if operation.is_open else {401})
        assert operator.runtime.engine.seq == 0


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
async def test_every_operation_refuses_other_machines(operation: Operation) -> None:
    """Without a key only this machine is answered."""
    async with operating() as operator:
        status, _ = await operator.ask(operation.method, concrete(operation), headers={"host": "calls.example"})

    assert status == (200 if operation.is_open else 403)


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
async def test_every_operation_answers_the_key(operation: Operation) -> None:
    """With it every operation says something that its row in the table allows."""
    async with operating(operators=Operators(KEY)) as operator:
        status, answer = await operator.ask(
            operation.method,
            concrete(operation),
            {} if operation.body is not None else None,
            headers={"authorization": f"Bearer {KEY.decode()}", "host": "calls.example"},
        )

    assert status in {200, 400, *operation.fails}
    assert status == 200 or answer["success"] is False


async def test_whoever_is_no_operator_learns_no_paths() -> None:
    """What there is not is answered like what there is."""
    async with operating(operators=Operators(KEY)) as operator:
        answers = [
            await operator.ask("GET", path) for path in ("version", "nothing", "broadcasts/..%2f", "openapi.json")
        ]

    assert answers == [answers[0]] * 4
    assert answers[0][0] == 401


@pytest.mark.parametrize(
    "id",
    [
        "%2e",
        "%2e%2e",
        "a%00b",
        "a%20b",
        "%E2%80%AEtxt",
        "%EF%BC%8E%EF%BC%8E",
        "a%5Cb",
        "a%25",
        "%FF%FE",
        "x" * (NAME_LENGTH_MAX + 1),
        "x" * 60_000,
        "%3Cscript%3E",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "broadcasts/{}"),
        ("DELETE", "broadcasts/{}"),
        ("POST", "broadcasts/{}/stop"),
        ("GET", "broadcasts/{}/token?expireDate=1&type=play"),
        ("DELETE", "broadcasts/{}/tokens"),
        ("GET", "broadcasts/conference-rooms/{}"),
        ("GET", "broadcasts/{}/subscribers/list/0/5"),
    ],
)
async def test_names_that_are_none(method: str, path: str, id: str) -> None:
    """They are refused before anything is looked up, and never quoted."""
    async with operating() as operator:
        answer = await operator.client.request(method, path.format(id))
        await operator.runtime.idle()

        assert answer.status_code == 400
        assert "must be a name" in answer.json()["message"]
        assert operator.runtime.engine.seq == 0
    assert len(answer.content) < 200
    assert answer.content.isascii()


@pytest.mark.parametrize("app", ["a%20b", "%2e%2e", "%E2%80%AE", "x" * 256])
async def test_an_app_that_is_none(app: str) -> None:
    """It is not there."""
    async with operating() as operator:
        status, _ = await operator.ask("GET", f"http://localhost:5080/{app}/rest/v2/version")

    assert status == 404


@pytest.mark.parametrize(
    ("content", "kind", "status", "said"),
    [
        (b"{}", "application/json", 200, ""),
        (b"{}", "application/json; charset=utf-8", 200, ""),
        (b"", "application/json", 200, ""),
        (b"{}", "text/plain", 415, "the content type must be application/json"),
        (b"streamId=s", "application/x-www-form-urlencoded", 415, "the content type must be"),
        (b"", "application/x-www-form-urlencoded", 415, "the content type must be"),
        (b"{}", "", 415, "the content type must be"),
        (b"{", "application/json", 400, "the body is no JSON"),
        (b"\xff\xfe", "application/json", 400, "the body is no JSON"),
        (b'{"name":"\xff"}', "application/json", 400, "the body is no JSON"),
        (b'{"a":' * 5_000, "application/json", 400, "the body is no JSON"),
        (b'{"zzz":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "application/json", 400, "the body is no JSON"),
        (b'{"date":' + b"9" * 5_000 + b"}", "application/json", 400, "the body"),
        (b'{"name":"' + b"x" * BODY_BYTES_MAX + b'"}', "application/json", 413, "a body has at most 65536 bytes"),
    ],
)
async def test_bodies(content: bytes, kind: str, status: int, said: str) -> None:
    """A body is JSON, small, not too deep, and says that it is JSON: a form of another site's page does not."""
    async with operating() as operator:
        answer = await operator.client.post(
            "broadcasts/create", content=content, headers={"content-type": kind} if kind else {}
        )

    assert answer.status_code == status
    assert said in answer.json().get("message", "")


async def test_a_body_that_nobody_wants_is_not_taken_from_a_form() -> None:
    """A page elsewhere could post a form to a path that takes no body."""
    async with operating() as operator:
        form = await operator.client.post("broadcasts/s/stop", data={"a": "b"})
        typed = await operator.client.post("broadcasts/s/stop", headers={"content-type": "text/plain"})
        plain = await operator.client.post("broadcasts/s/stop")

    assert [answer.status_code for answer in (form, typed, plain)] == [415, 415, 404]


async def test_methods() -> None:
    """HEAD is GET without the body; another method is answered with those that there are."""
    async with operating() as operator:
        head = await operator.client.head("version")
        wrong = await operator.client.patch("broadcasts/s")
        options = await operator.client.options("version")

    assert head.status_code == 200
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, PUT")
    assert (options.status_code, options.headers["allow"]) == (405, "GET")
    assert "access-control-allow-origin" not in options.headers


async def test_answers_are_not_kept() -> None:
    """A token stands in no cache, and no browser takes an answer for anything but JSON."""
    async with operating() as operator:
        answer = await operator.client.get("version")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"


async def test_a_parameter_is_given_once() -> None:
    """Two of a kind could be read differently by whoever stands in between."""
    async with operating() as operator:
        answer = await operator.ask("GET", "broadcasts/s/token?expireDate=1&expireDate=2&type=play")

    assert answer[1]["message"] == "expireDate is given more than once"


async def test_the_document_is_served() -> None:
    """To operators, like everything else."""
    async with operating() as operator:
        document = await operator.get("openapi.json")

    assert document["openapi"] == "3.1.0"


async def test_a_server_that_starts_says_so() -> None:
    """Until the reel is brought back there is nothing to look at."""
    runtime = Runtime()
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:5080/live/rest/v2/") as client:
        answers = [await client.get(path) for path in ("version", "liveness")]
    async with runtime:
        pass

    assert [answer.status_code for answer in answers] == [503, 200]
    assert answers[0].json()["message"] == "not_initialized_yet"


async def test_a_reel_that_fails_is_said() -> None:
    """A write that cannot be recorded is not done, and answered 503."""
    reel = FailingReel()
    async with operating(reel) as operator:
        reel.fails = True
        answer = await operator.ask("POST", "broadcasts/create", {"streamId": "s"})
        there = await operator.ask("GET", "broadcasts/s")
        reel.fails = False

    assert (answer[0], answer[1]["message"]) == (503, "data_store_not_available")
    assert there[0] == 404


async def test_a_bug_fails_one_request() -> None:
    """It is answered 500, which quotes nothing."""

    async def broken(services: Services, call: Call) -> Version:
        """Fail."""
        raise RuntimeError("canary")

    async with Runtime() as runtime:
        rest = Rest(Services(runtime), Operators(), operations=[Operation("GET", "broken", broken, Version)])
        answer = await rest.answer(_request("broken"))

    assert answer.status_code == 500
    assert b"canary" not in bytes(answer.body)


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """Nor is one whose sender has gone."""

    async def never() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async with Runtime() as runtime:
        rest = Rest(Services(runtime), Operators(), body_s_max=0)
        answers = [await rest.answer(_request("version", receive)) for receive in (never, gone)]

    assert [answer.status_code for answer in answers] == [408, 400]


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _request(path: str, receive: Callable[[], Awaitable[dict[str, Any]]] = _nothing) -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "path_params": {"app": "live", "path": path},
        "query_string": b"",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost")],
    }
    return Request(scope, receive)
