"""`signalreel_adapters.server.rest.operations`: the table as a whole."""

import re
from collections import Counter

from signalreel_adapters.server.rest.operations import OPERATIONS
from signalreel_adapters.server.rest.table import PARAMETERS, path_pattern
from tests.repository import ROOT


def test_every_parameter_of_a_path_is_known() -> None:
    """No path asks for something that nobody reads."""
    named = {name for operation in OPERATIONS for name in re.findall(r"\{(\w+)\}", operation.path)}

    assert named <= PARAMETERS.keys()
    assert named == PARAMETERS.keys()


def test_every_operation_is_said_once() -> None:
    """One method and path is one operation, with a name of its own."""
    places = Counter((operation.method, operation.path) for operation in OPERATIONS)
    names = Counter(operation.name for operation in OPERATIONS)

    assert set(places.values()) == {1}
    assert set(names.values()) == {1}


def test_every_path_can_be_reached() -> None:
    """A fixed word is tried before a parameter that would take it: the first match of a path is the path itself."""
    patterns = [(path_pattern(operation.path), operation.path) for operation in OPERATIONS]
    for operation in OPERATIONS:
        concrete = re.sub(r"\{\w+\}", "7", operation.path)
        first = next(path for pattern, path in patterns if pattern.fullmatch(concrete))

        assert first == operation.path


def test_every_operation_says_what_it_does() -> None:
    """In a sentence."""
    assert all(operation.summary.endswith(".") for operation in OPERATIONS)


def test_the_reference_names_every_path() -> None:
    """By its fixed words."""
    page = (ROOT / "docs" / "reference" / "rest.md").read_text(encoding="utf-8")
    words = {word for operation in OPERATIONS for word in re.split(r"/|\{\w+\}", operation.path) if word}

    assert {word for word in words - {"broadcasts"} if not re.search(rf"\b{word}\b", page)} == {
        "active-subtracks-count",
        "subtracks-count",
    }
