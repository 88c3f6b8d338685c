"""How a page is put together: its head, its tables, and what the source says about a class and its fields."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

__all__ = ("default_of", "notes_of", "page", "paragraph", "table_of", "words")

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


def words(kinds: Mapping[str, type[Struct]], after: Mapping[str, str] | None = None) -> Iterator[str]:
    """Write a section for each Struct: its meaning, what else there is to say, and its fields."""
    for name, kind in kinds.items():
        yield f"### `{name}`"
        yield ""
        yield paragraph(kind)
        yield ""
        if after is not None and name in after:
            yield after[name]
            yield ""
        fields = msgspec.structs.fields(kind)
        if fields:
            notes = notes_of(kind)
            yield from table_of(
                ("field", "default", "meaning"),
                ((f"`{field.encode_name}`", default_of(field), notes.get(field.name, "")) for field in fields),
            )
