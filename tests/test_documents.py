"""Documents run: every example in Python is executed, and every link to a file leads somewhere."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import pytest

from tests.repository import ROOT, text_files

PAGES: Final = [path for path in text_files() if path.suffix == ".md"]
PYTHON_BLOCK: Final = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


def by_place(path: Path) -> str:
    """Show a parametrised page by its place in the repository."""
    return str(path.relative_to(ROOT))


def blocks(path: Path) -> Iterator[CodeType]:
    """The Python blocks of a page, compiled so that an error names the page and its line."""
    text = path.read_text(encoding="utf-8")
    for match in PYTHON_BLOCK.finditer(text):
        tree = ast.parse(match["code"], filename=str(path))
        ast.increment_lineno(tree, text.count("\n", 0, match.start("code")))
        yield compile(tree, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def anchors(path: Path) -> set[str]:
    """The places inside a page that a link can lead to, named as code hosts name them."""
    headings = (match["text"].lower() for match in HEADING.finditer(path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [path for path in PAGES if any(blocks(path))], ids=by_place)
def test_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page run one after the other, as a reader would paste them, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__page__"}

    async def run() -> None:
        for code in blocks(path):
            result = FunctionType(code, names)()
            if inspect.isawaitable(result):
                await result

    asyncio.run(run())


@pytest.mark.parametrize("path", PAGES, ids=by_place)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file of the repository names one that is there, and a heading that is in it."""
    broken: list[str] = []
    for match in LINK.finditer(path.read_text(encoding="utf-8")):
        place, _, anchor = match["target"].partition("#")
        if "://" in place:
            continue
        target = path.parent / place if place else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(match["target"])

    assert broken == []
