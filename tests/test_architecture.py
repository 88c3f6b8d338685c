"""The walls of the house that import contracts cannot express; the layers are contracts in pyproject.toml."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from typing import Final

import pytest

from tests.repository import Module, imported_names, modules, text_files

ENGINE: Final = [module for module in modules() if module.package == "signalreel"]

PURE: Final = frozenset(
    {
        "signalreel",
        "msgspec",
        "transitions",
        # Of the standard library: what computes, and nothing that asks the world.
        "ast",  # reads an expression, and runs nothing
        "bisect",
        "collections",
        "contextlib",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "ipaddress",  # reads an address that is written down, and asks nobody about it
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "textwrap",
        "types",
        "typing",
        "zlib",  # takes a packed dump apart, in memory
    }
)
"""All that the engine may import. Time, ids and verdicts reach it on records, never through a module."""

SEEDED: Final = {"random": "signalreel.simulation"}
"""What one part of the engine may import besides. A simulation draws everything from the seed of its plan, by a
`random.Random` of its own; the functions of the module, which anybody's draw would move on, nobody calls."""

IMPURE_BUILTINS: Final = {
    "breakpoint": "stops the world",
    "eval": "runs text",
    "exec": "runs text",
    "hash": "differs from process to process; use a digest",
    "id": "differs from process to process; use a reference",
    "input": "reads from outside",
    "open": "reads from outside; the reel is handed in",
    "print": "writes outside; return a value",
}

ROOMS: Final = {
    "aioice": ("signalreel_adapters.media.aiortc",),
    "aiortc": ("signalreel_adapters.media.aiortc", "signalreel_adapters.media.workers"),
    "asyncio": (
        "signalreel_adapters.cli",
        "signalreel_adapters.media.aiortc",
        "signalreel_adapters.media.ladder.child",
        "signalreel_adapters.media.workers",
        "signalreel_adapters.pipes",
        "signalreel_adapters.processes",
        "signalreel_adapters.server",
        "signalreel_adapters.transports.asgi",
        "signalreel_adapters.transports.websocket",
    ),
    "av": ("signalreel_adapters.media.ladder", "signalreel_adapters.media.aiortc.measuring"),
    "cyclopts": ("signalreel_adapters.cli",),
    "hypothesis": ("signalreel_adapters.testing",),
    "joserfc": ("signalreel_adapters.access",),
    "pylibsrtp": ("signalreel_adapters.media.aiortc",),
    "pytest": ("signalreel_adapters.testing.plugin",),
    "rich": ("signalreel_adapters.cli",),
    "sqlite3": ("signalreel_adapters.reels",),
    "starlette": ("signalreel_adapters.server", "signalreel_adapters.viewer"),
    "textual": ("signalreel_adapters.cli.debug.stepper",),
    "uvicorn": ("signalreel_adapters.server", "signalreel_adapters.viewer"),
    "uvloop": (
        "signalreel_adapters.cli",
        "signalreel_adapters.media.aiortc.measuring",
        "signalreel_adapters.processes",
        "signalreel_adapters.server",
    ),
    "websockets": ("signalreel_adapters.flows", "signalreel_adapters.server", "signalreel_adapters.transports"),
}
"""Which part of the adapters may know a library. `asyncio` is here because all the rest runs on trio too."""

BESIDES_THE_SHELL: Final = (
    "aiohttp",
    "aioice",
    "aiortc",
    "av",
    "cyclopts",
    "fastapi",
    "joserfc",
    "starlette",
    "textual",
    "uvicorn",
    "uvloop",
    "websockets",
)
"""What `import signalreel_adapters` must leave alone: each is loaded by the one part that needs it."""

BESIDES_THE_ENGINE: Final = (
    *BESIDES_THE_SHELL,
    "anyio",
    "asyncio",
    "signalreel_adapters",
    "socket",
    "sqlite3",
    "ssl",
    "structlog",
    "trio",
)
"""What `import signalreel` must leave alone: an embedder pays only for what is used."""


def by_name(module: Module) -> str:
    """Show a parametrised module by its dotted name."""
    return module.name


@pytest.mark.parametrize("module", ENGINE, ids=by_name)
def test_the_engine_imports_only_what_computes(module: Module) -> None:
    """A module of the engine imports nothing that does I/O, reads a clock, draws a random number, awaits or logs."""
    strangers = [
        f"line {line}: {name}"
        for name, line in imported_names(module)
        if name.partition(".")[0] not in PURE
        and not f"{module.name}.".startswith(SEEDED.get(name.partition(".")[0], "-"))
    ]

    assert strangers == []


@pytest.mark.parametrize("module", ENGINE, ids=by_name)
def test_chance_comes_from_a_seed(module: Module) -> None:
    """A module of the engine takes `Random` from `random` and nothing else, and never without a seed."""
    taken = [
        alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "random"
        for alias in node.names
    ]
    unseeded = [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Random" and not node.args
    ]

    assert set(taken) <= {"Random"}
    assert not any(name == "random" for name, _ in imported_names(module)) or taken
    assert unseeded == []


@pytest.mark.parametrize("module", ENGINE, ids=by_name)
def test_the_engine_calls_no_impure_builtin(module: Module) -> None:
    """A module of the engine calls no builtin whose answer depends on the process or reaches outside of it."""
    calls = [
        f"line {node.lineno}: {node.func.id}() {IMPURE_BUILTINS[node.func.id]}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS
    ]

    assert calls == []


@pytest.mark.parametrize("module", ENGINE, ids=by_name)
def test_the_engine_never_awaits(module: Module) -> None:
    """A module of the engine has no coroutine: one input is applied from beginning to end."""
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)

    assert [node.lineno for node in ast.walk(module.tree) if isinstance(node, kinds)] == []


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_every_library_has_its_room(module: Module) -> None:
    """A library that only one part of the shell needs is imported in that part alone."""
    trespasses = [
        f"line {line}: {name}"
        for name, line in imported_names(module)
        if not f"{module.name}.".startswith(
            tuple(f"{room}." for room in ROOMS.get(name.partition(".")[0], (module.name,)))
        )
    ]

    assert trespasses == []


@pytest.mark.parametrize("module", modules(), ids=by_name)
def test_no_module_reaches_for_another_ones_private_names(module: Module) -> None:
    """A name that begins with an underscore is imported by nobody."""
    reached = [
        f"line {node.lineno}: {node.module}.{alias.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]

    assert reached == []


def test_no_modules_need_each_other() -> None:
    """Every module can be understood before those that stand on it; what is imported for its types alone counts too."""
    names = {module.name for module in modules()}
    needed = {module.name: {name for name, _ in imported_names(module) if name in names} for module in modules()}

    TopologicalSorter(needed).prepare()  # raises where there is a circle, and names it


def test_source_roots_are_never_imported() -> None:
    """`engine` and `adapters` are folders that hold one package each, and no packages themselves."""
    guilty = [
        f"{path}:{node.lineno}"
        for path in text_files()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (
            isinstance(node, ast.Import) and any(a.name.partition(".")[0] in {"engine", "adapters"} for a in node.names)
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and (node.module or "").partition(".")[0] in {"engine", "adapters"}
        )
    ]

    assert guilty == []


@pytest.mark.parametrize(
    ("package", "heavy"), [("signalreel", BESIDES_THE_ENGINE), ("signalreel_adapters", BESIDES_THE_SHELL)]
)
def test_importing_a_package_loads_nothing_heavy(package: str, heavy: tuple[str, ...]) -> None:
    """A fresh interpreter that took all that a package offers has loaded nothing that an embedder may never use."""
    program = f"import sys; from {package} import *; print(*sorted(set({heavy!r}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True).stdout

    assert loaded.split() == []
