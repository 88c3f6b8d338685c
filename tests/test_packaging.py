"""What a user installs: one wheel with two typed packages, and a lock that fits what the project asks for."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from signalreel.header import ENGINE_VERSION
from tests.repository import PACKAGES, ROOT

PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def asked_for() -> Iterator[Requirement]:
    """Every package that the project, its extras or its developers ask for by name."""
    lists: list[list[Any]] = [PROJECT["project"]["dependencies"], PROJECT["build-system"]["requires"]]
    lists += PROJECT["project"]["optional-dependencies"].values()
    lists += PROJECT["dependency-groups"].values()
    for entry in (entry for entries in lists for entry in entries):
        if isinstance(entry, str) and not entry.startswith("signalreel"):
            yield Requirement(entry)


def pinned() -> dict[str, Version]:
    """The version of each package in the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {canonicalize_name(m["name"]): Version(m["version"]) for m in PINNED.finditer(text)}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return wheel.namelist()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_wheel_holds_each_package_whole(package: str, wheel_names: list[str]) -> None:
    """Every file of a package is in the wheel: modules, `py.typed`, and the pages that the server serves."""
    folder = PACKAGES[package]
    files = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {f"{package}/{path.relative_to(folder).as_posix()}" for path in files}

    assert f"{package}/py.typed" in expected
    assert expected == {name for name in wheel_names if name.startswith(f"{package}/")}


def test_the_wheel_holds_nothing_else(wheel_names: list[str]) -> None:
    """A wheel has the two packages and its own description, and no tests or tools."""
    assert {name.split("/")[0] for name in wheel_names} == {
        *PACKAGES,
        f"signalreel-{PROJECT['project']['version']}.dist-info",
    }


def test_the_lock_fits_what_is_asked_for() -> None:
    """Each package asked for in pyproject.toml is locked, at a version that was asked for. If not: `make lock`."""
    locked = pinned()
    unfit = [
        str(wanted)
        for wanted in asked_for()
        if (version := locked.get(canonicalize_name(wanted.name))) is None or version not in wanted.specifier
    ]

    assert unfit == []


def test_the_command_is_there() -> None:
    """Installing the project gives the command `signalreel`, and what it points at can be called."""
    (command,) = entry_points(group="console_scripts", name="signalreel")

    assert callable(command.load())


def test_the_engine_has_the_version_of_the_project() -> None:
    """What stands in the header of a reel is the version that pyproject.toml says."""
    assert PROJECT["project"]["version"] == ENGINE_VERSION


def test_one_changelog_entry_for_the_version_in_hand() -> None:
    """The version in pyproject.toml has its section in the changelog."""
    changelog = Path(ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## {PROJECT['project']['version']}" in changelog
