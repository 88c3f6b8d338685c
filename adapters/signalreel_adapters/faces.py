"""Faces that load what they offer when it is asked for.

Importing any module imports the faces of the packages around it first. A face that imports all it offers makes every
one of them pay for the whole: the pytest plugin, which is loaded by every run of pytest where the project is installed,
and the workers, which are started one by one. So such a face names where each thing lives, and nothing else:

    from signalreel_adapters.faces import offer as _offer

    if TYPE_CHECKING:
        from signalreel_adapters.ice import TurnRest

    _offer(__name__, {"signalreel_adapters.ice": ("TurnRest",)})

Type checkers read the imports, Python the table; a test holds them together.
"""

import sys
from collections.abc import Mapping
from importlib import import_module

__all__ = ("offer",)


def offer(package: str, homes: Mapping[str, tuple[str, ...]]) -> None:
    """Have the package give these names, by the module in which each is defined, as if it had imported them."""
    face = sys.modules[package]
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> object:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=face)
        found: object = getattr(import_module(home), name)
        setattr(face, name, found)  # From now on it is found without asking here.
        return found

    def names() -> list[str]:
        return sorted({*vars(face), *home_of})

    vars(face).update(__getattr__=get, __dir__=names)
