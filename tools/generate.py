"""Write the pages under specs/ from the code that decides what they say, or check that they still say it.

    python tools/generate.py           writes what has changed
    python tools/generate.py --check   writes nothing; fails and names the pages that no longer fit

A page is made from what runs (the compiled tables, the Structs, the catalogue), never from a second list of it.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from signalreel import commands, events, host, messages, refusals, registered, settings
from signalreel.engine import TABLES
from signalreel.machines.table import Ignored, Refused, Row, Table, Unreachable

__all__ = ("PAGES", "main")

SPECS: Final = Path(__file__).resolve().parent.parent / "specs"

REGISTERED: Final[dict[str, type[Struct]]] = {
    kind.__name__: kind
    for kind in (
        registered.RegisteredStream,
        registered.RegisteredRoom,
        registered.IssuedToken,
        registered.Subscriber,
    )
}
"""What stands in the orders that register something."""

STATE_NOTE: Final = re.compile(r"^\s+(?P<name>[A-Z_]+) = \"[^\"]*\"\s+#: (?P<note>.*)$", re.MULTILINE)
FIELD_NOTE: Final = re.compile(r"^    (?P<name>[a-z_]+): .*?#: (?P<note>.*)$", re.MULTILINE)


def page(title: str, source: str, body: Iterable[str]) -> str:
    """Put a page together: its title, where it comes from, and its body."""
    notice = f"<!-- Made from {source} by `make generate`. Change that, not this. -->"
    return "\n".join([notice, "", f"# {title}", "", *body]).rstrip() + "\n"


def table_of(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Write a table, followed by an empty line."""
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for cells in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    yield ""


def paragraph(kind: type) -> str:
    """Give a class's docstring as one paragraph or more."""
    return inspect.getdoc(kind) or ""


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def errors() -> str:
    """Write the catalogue of error definitions."""

    def section(title: str, *, on_page: bool) -> Iterator[str]:
        yield f"## {title}"
        yield ""
        yield from table_of(
            ("definition", "cause", "may succeed later", "what to do"),
            (
                (f"`{one.definition}`", one.cause, "yes" if one.retryable else "no", one.advice)
                for one in refusals.REFUSALS.values()
                if one.page is on_page
            ),
        )

    body = [
        'A client receives an error as `{"command": "error", "definition": …}`, with `streamId` where there is one.',
        "",
        *section("On the protocol page", on_page=True),
        *section("Known to clients besides", on_page=False),
        "## Reserved",
        "",
        "Definitions that other servers send. This one has no cause for them and never sends them:",
        ", ".join(f"`{name}`" for name in refusals.RESERVED) + ".",
    ]
    return page("Errors", "`signalreel.refusals`", body)


# ---------------------------------------------------------------------------------------------------------------------
# Commands, messages, events


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """Show a field's default, or that it has none."""
    if field.default is msgspec.UNSET:
        return "left out"
    if field.default is not msgspec.NODEFAULT:
        return f"`{msgspec.json.encode(field.default).decode()}`"
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{msgspec.json.encode(field.default_factory()).decode()}`"
    return "required"


def notes_of(kind: type) -> dict[str, str]:
    """Give what the source says beside each field of a class, or in the docstring under it."""
    source = inspect.getsource(kind)
    notes = {match["name"]: match["note"] for match in FIELD_NOTE.finditer(source)}
    body = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 -- `getsource` of a class
    for field, after in zip(body.body, body.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                notes[name] = inspect.cleandoc(text)
            case _:
                pass
    return notes


def words(kinds: Mapping[str, type[Struct]]) -> Iterator[str]:
    """Write a section for each Struct: its meaning and its fields."""
    for name, kind in kinds.items():
        yield f"### `{name}`"
        yield ""
        yield paragraph(kind)
        yield ""
        fields = msgspec.structs.fields(kind)
        if fields:
            notes = notes_of(kind)
            yield from table_of(
                ("field", "default", "meaning"),
                ((f"`{field.encode_name}`", default_of(field), notes.get(field.name, "")) for field in fields),
            )


def protocol() -> str:
    """Write what clients say and what the server says."""
    on_the_wire = {name: kind for name, kind in messages.MESSAGES.items() if kind is not messages.CloseSession}
    body = [
        "Each is one JSON object in one text frame. Fields that the server does not know are ignored.",
        "",
        "## Commands",
        "",
        *words(commands.COMMANDS),
        "## Messages",
        "",
        *words(on_the_wire),
    ]
    return page("Protocol", "`signalreel.commands` and `signalreel.messages`", body)


def inputs() -> str:
    """Write what else stands on a reel."""
    body = [
        "Besides the commands of clients, a reel holds what the world reported and what the host ordered.",
        "",
        "## Events",
        "",
        *words(events.EVENTS),
        "## Host commands",
        "",
        "An order that is refused is refused with a definition of the [catalogue](errors.md), or with one of these:",
        "",
        *table_of(
            ("definition", "cause", "may succeed later"),
            (
                (f"`{one.definition}`", one.cause, "yes" if one.retryable else "no")
                for one in host.HOST_REFUSALS.values()
            ),
        ),
        *words(host.HOST_COMMANDS),
        "## What is registered",
        "",
        *words(REGISTERED),
    ]
    return page("Other inputs", "`signalreel.events`, `signalreel.host` and `signalreel.registered`", body)


def setting_pages() -> str:
    """Write the settings that the machines obey."""
    notes = notes_of(settings.Settings)
    page_names = {name: on_page for on_page, name in settings.PAGE_NAMES.items()}
    body = [
        paragraph(settings.Settings),
        "",
        *table_of(
            ("setting", "default", "meaning", "name on the protocol page"),
            (
                (
                    f"`{field.encode_name}`",
                    default_of(field),
                    notes.get(field.name, ""),
                    f"`{page_names[field.name]}`" if field.name in page_names else "",
                )
                for field in msgspec.structs.fields(settings.Settings)
            ),
        ),
    ]
    return page("Settings", "`signalreel.settings`", body)


# ---------------------------------------------------------------------------------------------------------------------
# Machines


def diagram(machine: Table[Any]) -> Iterator[str]:
    """Draw the rows that name a target; refusals and silent changes would hide them, and stand in the table below."""
    edges: dict[tuple[str, str], list[str]] = {}
    for line in machine.rows:
        if isinstance(line.next, StrEnum):
            for state in line.states:
                edges.setdefault((state.value, line.next.value), []).append(line.input.__name__)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {machine.initial.value}"
    for (source, target), names in edges.items():
        yield f"    {source} --> {target}: {', '.join(dict.fromkeys(names))}"
    for state in machine.states:
        if state in machine.finals:
            yield f"    {state.value} --> [*]"
    yield "```"
    yield ""


def effect(line: Row) -> str:
    """Say what a row does."""
    match line.action:
        case None:
            return "nothing more"
        case Refused(refusal=refusal):
            return f"refuse with `{refusal.definition}`"
        case Ignored(because=because):
            return f"ignore: {because}"
        case Unreachable(because=because):
            return f"unreachable: {because}"
        case action:
            return f"`{getattr(action, '__name__', '')}`"


def target(line: Row) -> str:
    """Say which state a row leads to."""
    if line.next is None:
        return ""
    return line.next.value if isinstance(line.next, StrEnum) else "the same"


def machine_page(machine: Table[Any]) -> str:
    """Write one machine: its states, its picture and all its rows."""
    notes = {m["name"]: m["note"] for m in STATE_NOTE.finditer(inspect.getsource(machine.states))}
    states = ((f"`{state.value}`", notes.get(state.name, "")) for state in machine.states)
    body = [
        inspect.getdoc(sys.modules[f"signalreel.machines.{machine.kind}"]) or "",
        "",
        *(["## States", "", *table_of(("state", "meaning"), states)] if notes else []),
        "## Transitions",
        "",
        *diagram(machine),
        "## Rows",
        "",
        "For an input in a state, the first row whose conditions all hold decides; rows are tried from the top.",
        "",
        *table_of(
            ("input", "in", "when", "then", "next"),
            (
                (
                    f"`{line.input.__name__}`",
                    ", ".join(state.value for state in line.states),
                    " and ".join(f"`{getattr(c, '__name__', '')}`" for c in line.conditions) or "otherwise",
                    effect(line),
                    target(line),
                )
                for line in machine.rows
            ),
        ),
    ]
    return page(f"The {machine.kind} machine", f"`signalreel.machines.{machine.kind}`", body)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "errors.md": errors,
    "inputs.md": inputs,
    "protocol.md": protocol,
    "settings.md": setting_pages,
    **{f"machines/{kind}.md": partial(machine_page, machine) for kind, machine in TABLES.items()},
}
"""Every generated page, by its place under specs/."""


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only compare them."""
    stale: list[str] = []
    for name, make in PAGES.items():
        path = SPECS / name
        text = make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote specs/{name}")
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(stale)} -- run `make generate` and look at what changed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
