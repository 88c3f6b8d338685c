"""Values of the engine written as Python that makes them again, laid out as a formatter would.

    code = Code()
    text = code.line("record = ", code.of(record), indent=4)
    head = code.imports()

What a value has by default is left out. Texts stand in double quotes; what does not fit on a line has a line for each
of its parts.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, cast

from msgspec import UNSET, Struct
from msgspec.structs import fields

from signalreel.commands import Command

__all__ = ("WIDTH", "Code", "Literal", "text_of")

WIDTH: Final = 88
"""Characters of a line: what formatters have by default."""

_TOP: Final = frozenset({"Deadline", "Engine", "Grant", "Kind", "Record", "Reference", "Settings", "Transition"})
"""What is imported from `signalreel` itself."""

_BY_PLACE: Final = {"Record": 3}
"""How many fields are written without their names, where that is more than those without a default."""

_BY_NAME: Final = frozenset({"Snapshot"})
"""What has so many fields that none is written without its name."""


class Literal(Struct, frozen=True):
    """A piece of code: text, and if it has parts, those between an opening and a closing."""

    opening: str
    parts: tuple["Literal", ...] = ()
    closing: str = ""
    label: str = ""  #: what stands before it: the name of an argument, a key
    is_single: bool = False  #: a tuple of one, which needs its comma

    def flat(self) -> str:
        """Give it on one line."""
        inner = ", ".join(part.flat() for part in self.parts)
        return f"{self.label}{self.opening}{inner}{',' if self.is_single else ''}{self.closing}"

    def laid_out(self, before: int, after: int, indent: int, *, is_open: bool = False) -> str:
        """Give it with `before` characters to its left and `after` to its right, on more lines if it must be.

        What alone is in a tuple is laid `is_open` with it: a formatter of longer lines would close a tuple of one.
        """
        flat = self.flat()
        if not self.parts or (before + len(flat) + after <= WIDTH and not is_open):
            return flat
        inner = indent + 4
        lines = [f"{' ' * inner}{part.laid_out(inner, 1, inner, is_open=self.is_single)},\n" for part in self.parts]
        return f"{self.label}{self.opening}\n{''.join(lines)}{' ' * indent}{self.closing}"


class Code:
    """Writes values, and keeps which names the code needs."""

    def __init__(self) -> None:
        self._needed: dict[str, set[str]] = {}

    def need(self, module: str, name: str) -> str:
        """Note that a name is to be imported, and give it."""
        self._needed.setdefault("signalreel" if name in _TOP else module, set()).add(name)
        return name

    def imports(self) -> str:
        """Give the lines that import what was written."""
        lines: list[str] = []
        for module in sorted(self._needed):
            names = sorted(self._needed[module], key=lambda name: (name.islower(), name))
            flat = f"from {module} import {', '.join(names)}"
            many = "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])
            lines.append(flat if len(flat) <= WIDTH else many)
        return "\n".join(lines)

    def line(self, before: str, value: Literal, *, indent: int) -> str:
        """Write a line that begins with something and ends with a value."""
        return f"{' ' * indent}{before}{value.laid_out(indent + len(before), 0, indent)}\n"

    def of(self, value: object, label: str = "") -> Literal:
        """Write a value."""
        match value:
            case Struct():
                return self._struct(value, label)
            case Enum():
                name = self.need(type(value).__module__, type(value).__name__)
                return Literal(f"{name}.{value.name}", label=label)
            case str():
                return Literal(text_of(value), label=label)
            case bytes() if value and not any(value):
                return Literal(f"bytes({len(value)})", label=label)
            case tuple() | list():
                parts = tuple(self.of(part) for part in cast(Sequence[object], value))
                opening, closing = ("(", ")") if isinstance(value, tuple) else ("[", "]")
                return Literal(opening, parts, closing, label, is_single=opening == "(" and len(parts) == 1)
            case dict():
                held = cast(Mapping[object, object], value)
                pairs = tuple(self.of(part, f"{self.of(key).flat()}: ") for key, part in held.items())
                return Literal("{", pairs, "}", label)
            case _:
                return Literal(repr(value), label=label)

    def call(self, name: str, parts: Sequence[Literal]) -> Literal:
        """Write a call."""
        return Literal(f"{name}(", tuple(parts), ")")

    def _struct(self, value: Struct, label: str) -> Literal:
        kind = type(value)
        name = self.need(kind.__module__, kind.__name__)
        by_place = _BY_PLACE.get(name, 1 if isinstance(value, Command) else 0)
        parts: list[Literal] = []
        named = name in _BY_NAME
        for number, field in enumerate(fields(kind)):
            held = getattr(value, field.name)
            if not field.required and (held is UNSET or held == _default(field.default, field.default_factory)):
                named = True
                continue
            is_by_place = (
                not named
                and name not in _BY_NAME
                and (field.required or number < by_place)
                and not isinstance(held, bool)
            )
            named = named or not is_by_place
            parts.append(self.of(held, "" if is_by_place else f"{field.name}="))
        return Literal(f"{name}(", tuple(parts), ")", label)


def _default(default: object, factory: object) -> object:
    return factory() if callable(factory) else default


def text_of(text: str) -> str:
    """Write a text in double quotes, unless it has some itself."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in text else written
