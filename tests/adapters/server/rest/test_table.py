"""`signalreel_adapters.server.rest.table`: paths and parameters."""

import pytest

from signalreel_adapters.server.rest.problems import RestProblem
from signalreel_adapters.server.rest.table import Call, Form, Parameter, path_pattern, read_parameter

NUMBER = Parameter("number", Form.INTEGER, "", least=1, most=50)
NAME = Parameter("name", Form.NAME, "")
TEXT = Parameter("text", Form.TEXT, "")
CHOICE = Parameter("choice", Form.TEXT, "", choices=("a", "b"))
LIST = Parameter("list", Form.LIST, "")


@pytest.mark.parametrize(
    ("parameter", "text", "read"),
    [
        (NUMBER, "1", 1),
        (NUMBER, "050", 50),
        (NAME, "a-B_9.", "a-B_9."),
        (TEXT, "Bob <bob@example.org>", "Bob <bob@example.org>"),
        (TEXT, "ö", "ö"),
        (CHOICE, "b", "b"),
        (LIST, "a,b", "a,b"),
    ],
)
def test_what_fits_is_read(parameter: Parameter, text: str, read: object) -> None:
    """Numbers become numbers; everything else stays as it is."""
    assert read_parameter(parameter, text) == read


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        *((NUMBER, text) for text in ("0", "51", "-1", "1.0", "1e1", "", " 1", "+1", "٣", "9" * 30, "0x1")),
        *((NAME, text) for text in ("", ".", "..", "a b", "a/b", "a\n", "a\x00", "ä", "x" * 256)),
        *((TEXT, text) for text in ("", "a\n", "a\x00", "\x1b[31m", "\u202etxt", "x" * 256)),
        *((CHOICE, text) for text in ("c", "A", "a,b")),
        *((LIST, text) for text in ("", "x" * 30_000)),
    ],
)
def test_what_does_not_fit_is_refused_without_being_quoted(parameter: Parameter, text: str) -> None:
    """The answer names the parameter and what it should be."""
    with pytest.raises(RestProblem) as caught:
        read_parameter(parameter, text)

    assert caught.value.status == 400
    assert caught.value.why.startswith(parameter.wire)
    assert len(caught.value.why) < 100


def test_a_path_is_matched_whole() -> None:
    """A parameter is one segment; a dot is a dot."""
    pattern = path_pattern("a.b/{id}/list/{size}")

    assert [
        bool(pattern.fullmatch(path)) for path in ("a.b/x/list/1", "axb/x/list/1", "a.b/x/y/list/1", "a.b//list/1")
    ] == [
        True,
        False,
        False,
        False,
    ]


def test_a_page_is_cut() -> None:
    """At fifty entries, whatever is asked for."""
    assert Call("live", {"offset": 10, "size": 1_000}).page() == slice(10, 60)
