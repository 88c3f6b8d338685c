"""Style that can be measured is a test, so that no review has to say it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.repository import PACKAGES, ROOT, Module, modules, text_files

MODULE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70

# The words are put together here so that this file does not contain them itself.
UNFINISHED: Final = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "Not" + "ImplementedError", "HA" + "CK"))
)
SWITCHED_OFF: Final = re.compile(
    "|".join(
        (r"pytest\.sk" + "ip", r"mark\.sk" + "ip", r"mark\.x" + "fail", "pragma: no" + " cover", "assert " + "True\\b")
    )
)
TWO_LS: Final = re.compile("signal" + "ling", re.IGNORECASE)
MACHINE_PATH: Final = re.compile(r"(?<![\w.~{}/])/(?:home|mnt|opt|private|root|srv|tmp|Users|work|workspace)/[\w.]")
ADDRESS_IN_LOCK: Final = re.compile(r"://|\bindex-url\b|\bfind-links\b|\"resolved\"")

GENERATED: Final = frozenset({"LICENSE", "package-lock.json", "requirements.lock"})
"""Files whose words are not ours."""

CODE_SUFFIXES: Final = frozenset({".css", ".html", ".js", ".mjs", ".py", ".sh", ""})
SOURCES: Final = [path for path in text_files() if path.name not in GENERATED]
CODE: Final = [path for path in SOURCES if path.suffix in CODE_SUFFIXES]
LOCKS: Final = [ROOT / "requirements.lock", *sorted((ROOT / "tests").glob("*/package-lock.json"))]

TESTS_OF: Final = {"signalreel": ROOT / "tests" / "engine", "signalreel_adapters": ROOT / "tests" / "adapters"}
"""Where the tests of each package mirror it file for file."""


def lines_matching(path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    """The lines of a file in which a pattern is found, with their numbers."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if pattern.search(line):
            yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def by_name(module: Module) -> str:
    """Show a parametrised module by its dotted name."""
    return module.name


def is_face(module: Module) -> bool:
    """Whether a module only offers what other modules define: a docstring, imports and `__all__`.

    Or a table of where things are, beside imports for type checkers; that these agree has a test, see `faces`.
    """
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Expr) and ast.unparse(node.value).startswith("_offer(__name__, "))
        or (
            isinstance(node, ast.If)
            and ast.unparse(node.test) == "TYPE_CHECKING"
            and all(isinstance(inner, ast.ImportFrom) for inner in [*node.body, *node.orelse])
        )
        or (isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets))
        for node in module.tree.body
    )


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_a_module_can_be_read_in_one_sitting(module: Module) -> None:
    """No module is longer than the limit; the aim is 200 lines."""
    assert len(module.text.splitlines()) <= MODULE_LINES_MAX


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_a_function_fits_a_screen(module: Module) -> None:
    """No function is longer than the limit, docstring and all."""
    long = [
        f"line {node.lineno}: {node.name} has {(node.end_lineno or node.lineno) - node.lineno + 1} lines"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert long == []


def test_nothing_is_left_unfinished() -> None:
    """No source file holds a note about work that is still to do: it is done, or it is an issue elsewhere."""
    assert [line for path in SOURCES for line in lines_matching(path, UNFINISHED)] == []


def test_no_test_is_switched_off() -> None:
    """No test is left out or expected to fail, and no line is hidden from coverage."""
    assert [line for path in CODE for line in lines_matching(path, SWITCHED_OFF)] == []


def test_signaling_has_one_l() -> None:
    """The project spells its own subject one way."""
    assert [line for path in SOURCES for line in lines_matching(path, TWO_LS)] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    """No file holds an absolute path that exists on one machine and not on the next."""
    assert [line for path in SOURCES for line in lines_matching(path, MACHINE_PATH)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_packages_and_not_where_they_came_from(lock: Path) -> None:
    """A lock holds names, versions and hashes; which index or registry serves them is the reader's own choice."""
    lines = (
        line for line in lines_matching(lock, ADDRESS_IN_LOCK) if '"url": "https://github.com/sponsors' not in line
    )

    assert list(lines) == []


@pytest.mark.parametrize("module", [module for module in modules() if not is_face(module)], ids=by_name)
def test_every_module_has_a_test_file(module: Module) -> None:
    """The tests mirror the packages: `a/b.py` is tested by `a/test_b.py`, or by several `a/test_b_….py`."""
    inner = module.path.relative_to(PACKAGES[module.package])
    stem = inner.parent.name if module.is_package else inner.stem
    folder = TESTS_OF[module.package] / (inner.parent.parent if module.is_package else inner.parent)

    assert [*folder.glob(f"test_{stem}.py"), *folder.glob(f"test_{stem}_*.py")] != []


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_test_file_has_its_module(package: str) -> None:
    """A test file under the mirror is named after a module that exists."""
    strays: list[str] = []
    for test in sorted(TESTS_OF[package].rglob("test_*.py")):
        inner = test.relative_to(TESTS_OF[package])
        folder = PACKAGES[package] / inner.parent
        stem = inner.stem.removeprefix("test_")
        known = {path.stem for path in folder.glob("*.py")} | {
            path.parent.name for path in folder.glob("*/__init__.py")
        }
        if not any(stem == name or stem.startswith(f"{name}_") for name in known):
            strays.append(str(inner))

    assert strays == []
