"""Every generated page by its place, and the command that writes or checks them."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from signalreel.engine import TABLES
from signalreel_adapters.server.rest.openapi import document_bytes
from tools.specifications.asyncapi import asyncapi
from tools.specifications.machines import machine_page
from tools.specifications.mocks import mocks
from tools.specifications.protocol import errors, grants_page, inputs, protocol, setting_pages

__all__ = ("PAGES", "SPECS", "main")

SPECS: Final = Path(__file__).resolve().parent.parent.parent / "specs"

PAGES: Final[dict[str, Callable[[], str]]] = {
    "asyncapi.json": asyncapi,
    "errors.md": errors,
    "grants.md": grants_page,
    "inputs.md": inputs,
    "mocks.md": mocks,
    "openapi.json": lambda: document_bytes().decode(),
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
