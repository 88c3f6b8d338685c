"""`signalreel_adapters.faces`: packages that load what they offer when it is asked for."""

import ast
import subprocess
import sys
from importlib import import_module

import pytest

from tests.repository import Module, modules

FACES = [module for module in modules() if module.is_package and "offer(__name__, " in ast.unparse(module.tree)]


def by_name(module: Module) -> str:
    """Show a parametrised module by its dotted name."""
    return module.name


@pytest.mark.parametrize("face", FACES, ids=by_name)
def test_the_table_says_what_type_checkers_see(face: Module) -> None:
    """Each name is looked up in the very module from which a type checker believes it to be imported."""
    (block,) = [node for node in face.tree.body if isinstance(node, ast.If)]
    believed = {
        str(node.module): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    (call,) = [node.value for node in face.tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]

    assert ast.literal_eval(call.args[1]) == believed


@pytest.mark.parametrize("face", FACES, ids=by_name)
def test_everything_offered_is_there(face: Module) -> None:
    """Each name of `__all__` can be had, is found without asking the second time, and `dir` names it."""
    package = import_module(face.name)
    found = {name: getattr(package, name) for name in package.__all__}

    assert found.items() <= vars(package).items()
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("face", FACES, ids=by_name)
def test_what_is_not_offered_is_not_there(face: Module) -> None:
    """As of every module, with its name; so that `from … import` finds modules of the package, and `hasattr` works."""
    package = import_module(face.name)

    with pytest.raises(AttributeError, match=f"module '{face.name}' has no attribute 'nothing'"):
        _ = package.nothing


def test_a_face_alone_loads_nothing() -> None:
    """A fresh interpreter that imports the faces has loaded neither the engine nor anyio."""
    names = " ".join(f"import {face.name};" for face in FACES)
    program = (
        f"import sys; {names} print(*sorted({{'anyio', 'msgspec', 'signalreel', 'structlog'}} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert FACES != []
    assert loaded.split() == []
