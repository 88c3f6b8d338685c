"""What the tests about the repository itself look at: its modules, parsed, and its text files.

Files are found anew at every run, so a new module is under the rules from its first line on.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ("PACKAGES", "ROOT", "Module", "imported_names", "modules", "text_files", "top_level")

ROOT: Final = Path(__file__).resolve().parent.parent

PACKAGES: Final = {
    "signalreel": ROOT / "engine" / "signalreel",
    "signalreel_adapters": ROOT / "adapters" / "signalreel_adapters",
}
"""The two import packages and where each lives."""

_NOT_OURS: Final = frozenset({"__pycache__", "dist", "node_modules"})
_HIDDEN_BUT_OURS: Final = frozenset({".ci", ".github", ".gitignore", ".npmrc"})
_BINARY: Final = frozenset(
    {".gif", ".ico", ".ivf", ".jpg", ".msgpack", ".opus", ".png", ".pyc", ".reel", ".wav", ".webm", ".webp"}
)


class Module(NamedTuple):
    """One module of the packages."""

    name: str  #: dotted, as it is imported
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The import package it belongs to."""
        return self.name.partition(".")[0]

    @property
    def is_package(self) -> bool:
        """Whether this is the `__init__` of a package."""
        return self.path.stem == "__init__"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of both packages, by name."""
    found: list[Module] = []
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found.append(Module(name, path, text, ast.parse(text, filename=str(path))))
    return tuple(found)


def imported_names(module: Module) -> Iterator[tuple[str, int]]:
    """Every module that a module imports anywhere in it, with the line of the import."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, node.lineno
            case ast.ImportFrom(module=str(name), names=_, level=0):
                yield name, node.lineno
            case _:
                pass


def top_level(module: Module) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported, also those inside `if`, `try` and `with`."""
    waiting: list[ast.stmt] = list(module.tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        match node:
            case ast.If() | ast.For() | ast.While():
                waiting += [*node.body, *node.orelse]
            case ast.Try():
                waiting += [*node.body, *node.orelse, *node.finalbody, *(s for h in node.handlers for s in h.body)]
            case ast.With():
                waiting += node.body
            case _:
                pass


@cache
def text_files() -> tuple[Path, ...]:
    """Every text file of the repository that a person wrote or a tool of ours made."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.name not in _HIDDEN_BUT_OURS
        if hidden or path.name in _NOT_OURS:
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix not in _BINARY:
            yield path
