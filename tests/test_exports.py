"""What each module offers is written once, in its `__all__`, and that is the truth."""

import ast
from collections.abc import Iterator

import pytest

from tests.repository import Module, modules, top_level


def declared(module: Module) -> tuple[str, ...] | None:
    """The module's `__all__`, when it is a tuple of literals assigned once."""
    values = [
        node.value
        for node in module.tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ]
    if len(values) != 1 or not isinstance(values[0], ast.Tuple):
        return None
    names = ast.literal_eval(values[0])
    return tuple(str(name) for name in names)


def defined(module: Module) -> set[str]:
    """The public names that a module makes itself. What it imports belongs to others, unless it is a package's face."""
    names = {name for node in top_level(module) for name in _names_of(node, imports=module.is_package)}
    return {name for name in names if not name.startswith("_")}


def _names_of(node: ast.stmt, *, imports: bool) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec" | "TypeVarTuple"))):
            pass  # a placeholder in signatures, nothing anybody could use
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.ImportFrom(module=str(origin), names=aliases) if imports and origin.startswith("signalreel"):
            yield from (alias.asname or alias.name for alias in aliases)
        case _:
            pass


def holds_a_table(module: Module) -> bool:
    """Whether the module is a machine: its states, conditions and actions are the words of its own table.

    They have no underscore, because they stand in steps, explanations and specs, and are offered to no other module.
    """
    return any(
        isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "Table"
        for node in module.tree.body
    )


def by_name(module: Module) -> str:
    """Show a parametrised module by its dotted name."""
    return module.name


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_all_names_exactly_what_is_public(module: Module) -> None:
    """A module's `__all__` is a tuple of all the public names it defines, and of nothing else."""
    names = declared(module)

    assert names is not None, "no `__all__` tuple of literals"
    if holds_a_table(module):
        assert set(names) <= defined(module)
    else:
        assert sorted(names) == sorted(defined(module))


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_what_is_imported_is_offered(module: Module) -> None:
    """A module imports from another only what that one's `__all__` offers, or a module of a package."""
    offers = {other.name: set(declared(other) or ()) for other in modules()}
    missing = [
        f"line {node.lineno}: {node.module}.{alias.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module in offers
        for alias in node.names
        if alias.name not in offers[node.module] and f"{node.module}.{alias.name}" not in offers
    ]

    assert missing == []
