"""Comparing: whether a message is what a pattern says, and if not, at which place and why.

Pure: names that are known come in, names that were learned go out.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from signalreel.errors import SignalreelError
from signalreel_adapters.flows.patterns import NAME, Anything, ListOf, Literal, ObjectOf, Pattern, Text

__all__ = ("Known", "Mismatch", "fill", "match")

Known = Mapping[str, str]
"""The texts that names stand for."""

_SHOWN_MAX: Final = 80


class Mismatch(SignalreelError):
    """A message is not what the pattern says. `where` is the path to the place, like `streams[0]`; empty for all."""

    def __init__(self, where: str, why: str) -> None:
        self.where = where
        self.why = why
        super().__init__(f"{where}: {why}" if where else why)


def match(pattern: Pattern, value: object, known: Known) -> dict[str, str]:
    """Give the names learned from a message that is what the pattern says. Raises `Mismatch` where it first differs."""
    learned: dict[str, str] = {}
    _match(pattern, value, "", dict(known), learned)
    return learned


def fill(pattern: Pattern, known: Known) -> Any:  # noqa: ANN401 - any JSON value
    """Give the value that a pattern without gaps says. Raises `Mismatch` where it has one, or a name is not known."""
    match pattern:
        case Text(text):
            return NAME.sub(lambda found: _text_of(found[1], known), text)
        case Literal(value):
            return value
        case ListOf(items, False):
            return [fill(item, known) for item in items]
        case ObjectOf(fields, False):
            return {name: fill(field, known) for name, field in fields}
        case Anything() | ListOf() | ObjectOf():
            raise Mismatch("", "what is said has no gaps: `*` and `...` are for what is heard")


def _text_of(name: str, known: Known) -> str:
    if name not in known:
        raise Mismatch("", f"nothing was heard yet that {{{name}}} stands for")
    return known[name]


def _match(pattern: Pattern, value: object, where: str, known: dict[str, str], learned: dict[str, str]) -> None:
    match pattern:
        case Anything():
            return
        case Literal(expected):
            if value != expected or isinstance(value, bool) != isinstance(expected, bool):
                raise Mismatch(where, f"expected {_shown(expected)}, found {_shown(value)}")
        case Text(text):
            _match_text(text, value, where, known, learned)
        case ListOf():
            _match_list(pattern, value, where, known, learned)
        case ObjectOf():
            _match_object(pattern, value, where, known, learned)


def _match_text(text: str, value: object, where: str, known: dict[str, str], learned: dict[str, str]) -> None:
    if not isinstance(value, str):
        raise Mismatch(where, f"expected a text, found {_shown(value)}")
    parts: list[str] = []
    names: list[str] = []
    end = 0
    for found in NAME.finditer(text):
        parts.append(re.escape(text[end : found.start()]))
        end = found.end()
        name = found[1]
        if name in known:
            parts.append(re.escape(known[name]))
        elif name in names:
            parts.append(f"(?P={name})")
        else:
            names.append(name)
            parts.append(f"(?P<{name}>.+?)")
    parts.append(re.escape(text[end:]))
    matched = re.fullmatch("".join(parts), value, re.DOTALL)
    if matched is None:
        raise Mismatch(
            where, f"expected {_shown(NAME.sub(lambda name: known.get(name[1], name[0]), text))}, found {_shown(value)}"
        )
    for name in names:
        known[name] = learned[name] = matched[name]


def _match_list(pattern: ListOf, value: object, where: str, known: dict[str, str], learned: dict[str, str]) -> None:
    if not isinstance(value, list):
        raise Mismatch(where, f"expected a list, found {_shown(value)}")
    found = cast(list[object], value)
    if len(found) < len(pattern.items) or (len(found) > len(pattern.items) and not pattern.is_open):
        more = " or more" if pattern.is_open else ""
        raise Mismatch(where, f"expected {len(pattern.items)}{more} in the list, found {_shown(found)}")
    for number, item in enumerate(pattern.items):
        _match(item, found[number], f"{where}[{number}]", known, learned)


def _match_object(pattern: ObjectOf, value: object, where: str, known: dict[str, str], learned: dict[str, str]) -> None:
    if not isinstance(value, dict):
        raise Mismatch(where, f"expected an object, found {_shown(value)}")
    found = cast(dict[str, object], value)
    inside = f"{where}." if where else ""
    for name, field in pattern.fields:
        if name not in found:
            raise Mismatch(f"{inside}{name}", "the field is missing")
        _match(field, found[name], f"{inside}{name}", known, learned)
    expected = {name for name, _ in pattern.fields}
    for name, stranger in found.items():
        if name not in expected and not pattern.is_open:
            raise Mismatch(f"{inside}{name}", f"not expected: {_shown(stranger)} (`...` allows further fields)")


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, bool | None) else {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}… ({len(text)} characters)"
