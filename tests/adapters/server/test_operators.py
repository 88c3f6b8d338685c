"""`signalreel_adapters.server.operators`: who is an operator."""

import pytest
from starlette.requests import Request

from signalreel_adapters.server.operators import Operators, is_local

KEY = b"0FtbV3hpCz-eT1Wj_7mYqQ"


def asked(client: str = "127.0.0.1", *, version: str = "1.1", scheme: str = "http", **headers: str) -> Request:
    """A request from somewhere, with these headers; `host` is `localhost:5080` unless it says otherwise."""
    named = {"host": "localhost:5080", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "scheme": scheme,
            "http_version": version,
            "client": (client, 50_000) if client else None,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        }
    )


@pytest.mark.parametrize(
    ("client", "host", "local"),
    [
        ("127.0.0.1", "localhost:5080", True),
        ("127.0.0.1", "LOCALHOST:5080", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.8.8.8", "localhost", True),
        ("::1", "[::1]:5080", True),
        ("::1", "[::1]", True),
        ("::ffff:127.0.0.1", "localhost", True),
        ("::ffff:192.0.2.7", "localhost", False),
        ("192.0.2.7", "localhost:5080", False),
        ("127.0.0.1", "rebound.example:5080", False),
        ("127.0.0.1", "localhost.example:5080", False),
        ("127.0.0.1", "192.0.2.7:5080", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "localhost:evil.example", False),
        ("127.0.0.1", "localhost:80@evil.example", False),
        ("", "localhost", False),
        ("testclient", "localhost", False),
    ],
)
def test_what_this_machine_is(client: str, host: str, local: bool) -> None:
    """The client is on the loopback interface, and addresses the server by a name of it."""
    assert is_local(client, host) is local


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (asked(), None),
        (asked(origin="http://localhost:5080", sec_fetch_site="same-origin"), None),
        (asked("::1", host="[::1]:5080"), None),
        (asked(sec_fetch_site="none"), None),
        (asked(authorization="Bearer whatever"), None),
        (asked("192.0.2.7"), 403),
        (asked(host="rebound.example"), 403),
        (asked(version="0.9"), 403),
        (asked(version="1.0"), 403),
        (asked(version="2.0"), 403),
        (asked(cf_connecting_ip="127.0.0.1"), 403),
        (asked(true_client_ip="127.0.0.1"), 403),
        (asked(x_client_ip="127.0.0.1"), 403),
        (asked(x_forwarded_for="127.0.0.1"), 403),
        (asked(x_forwarded_proto="http"), 403),
        (asked(x_real_ip="127.0.0.1"), 403),
        (asked(forwarded="for=127.0.0.1"), 403),
        (asked(via="1.1 proxy"), 403),
        (asked(origin="http://localhost:3000"), 403),
        (asked(origin="https://localhost:5080"), 403),
        (asked(origin="https://example.org"), 403),
        (asked(origin="null"), 403),
        (asked(origin=""), 403),
        (asked(sec_fetch_site="cross-site"), 403),
        (asked(sec_fetch_site="same-site"), 403),
    ],
)
def test_without_a_key_only_this_machine(request_: Request, status: int | None) -> None:
    """No trace of a proxy, of a name from elsewhere or of another site's page."""
    objection = Operators().objection(request_)

    assert (objection and objection.status) == status


@pytest.mark.parametrize("client", ["127.0.0.1", "192.0.2.7"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {KEY.decode()}", None),
        (f"bearer  {KEY.decode()} ", None),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer {KEY.decode()[:-1]}", 401),
        (f"Bearer {KEY.decode()}x", 401),
        (f"Bearer {KEY.decode().lower()}", 401),
        (f"Basic {KEY.decode()}", 401),
        (KEY.decode(), 401),
        ("Bearer \xff\xfe", 401),
    ],
)
def test_with_a_key_everyone_shows_it(client: str, header: str, status: int | None) -> None:
    """The key and nothing near it, from this machine too: behind a silent proxy everybody comes from here."""
    objection = Operators(KEY).objection(asked(client, authorization=header))

    assert (objection and objection.status) == status


def test_the_key_opens_through_a_proxy_and_for_other_names() -> None:
    """Whoever shows the key may come by any way."""
    request = asked(
        "192.0.2.7", host="calls.example", x_forwarded_for="198.51.100.1", authorization=f"Bearer {KEY.decode()}"
    )

    assert Operators(KEY).objection(request) is None


def test_an_objection_is_an_answer() -> None:
    """A sentence in the shape of every answer, never kept by a cache; 401 says how to come in, and no key is quoted."""
    objection = Operators(KEY).objection(asked(authorization="Bearer canary"))
    assert objection is not None
    answer = objection.response()

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["cache-control"] == "no-store"
    assert b'"success":false' in bytes(answer.body)
    assert b"canary" not in bytes(answer.body)


@pytest.mark.parametrize("key", [b"", b"two words", b"line\n", b"caf\xc3\xa9", b"\x00" * 32])
def test_a_key_that_no_header_carries_is_refused(key: bytes) -> None:
    """It could never be shown."""
    with pytest.raises(ValueError, match="printable ASCII"):
        Operators(key)


def test_the_key_is_not_kept() -> None:
    """Nothing that prints an operators object prints its key."""
    operators = Operators(KEY)

    assert KEY not in repr(vars(operators)).encode()
    assert (operators.have_a_key, Operators().have_a_key) == (True, False)
