"""The viewer as one file: markup, styles, scripts and the whole reel, so that it can be sent, kept, and opened offline.

The scripts are the modules of the served page, put one behind the other. The data stands in the file compressed, in
base64, where no text of a reel can end an element or begin one. A policy in the file itself forbids every request.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.resources import files
from itertools import count, islice
from pathlib import Path
from typing import Final

import msgspec

from signalreel.debug.scan import Scan
from signalreel.errors import SignalreelError
from signalreel.reel import Reel
from signalreel_adapters.viewer.about import CHUNK_RECORDS, about_of

__all__ = ("ENTRY", "EXPORT_RECORDS_MAX", "TooLong", "bundle", "export_page", "static_folder")

EXPORT_RECORDS_MAX: Final = 100_000
"""Most records of a file: a browser holds all of them at once."""

ENTRY: Final = "viewer.js"
"""The module that the page begins with."""

_IMPORT: Final = re.compile(r"^import \{[^}]*\} from \"\./(?P<module>[a-z]+\.js)\";\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?function\*? |class |const )", re.MULTILINE)
_STYLES: Final = '<link rel="stylesheet" href="static/viewer.css">'
_SCRIPT: Final = '<script type="module" src="static/viewer.js"></script>'
_LEVEL: Final = 9


class TooLong(SignalreelError):
    """A reel has too many records for one page. Cut it first."""

    def __init__(self, records: int) -> None:
        self.records = records
        super().__init__(
            f"{records} records are too many for one page, which takes {EXPORT_RECORDS_MAX}; "
            "open the reel without --export, or take the part of it that matters"
        )


def static_folder() -> Path:
    """Where the scripts and styles are, inside the package."""
    return Path(str(files("signalreel_adapters.viewer") / "static"))


def bundle(folder: Path, entry: str = ENTRY) -> str:
    """Put the modules of a page one behind the other, each behind those that it imports from.

    They import by name from files beside them, and export what they declare; no two may declare the same name.
    """
    texts: dict[str, str] = {}
    needed: dict[str, list[str]] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = (folder / name).read_text(encoding="utf-8")
            needed[name] = [found["module"] for found in _IMPORT.finditer(texts[name])]
            waiting += needed[name]
    order = TopologicalSorter(needed).static_order()
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", texts[name])) for name in order)


def export_page(reel: Reel, name: str, *, redacted: bool) -> Iterator[str]:
    """Give the file piece by piece; each piece is some hundred records at most. Raises `TooLong` and `ReelDamaged`."""
    about = about_of(reel, name, redacted=redacted)
    if about.records > EXPORT_RECORDS_MAX:
        raise TooLong(about.records)
    folder = static_folder()
    styles = "\n" + (folder / "viewer.css").read_text(encoding="utf-8")
    script = "\n" + bundle(folder)
    policy = (
        f"default-src 'none'; script-src '{_hash_of(script)}'; style-src '{_hash_of(styles)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = page.replace(
        '<meta charset="utf-8">',
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">',
    )
    page = page.replace(_STYLES, f"<style>{styles}</style>")
    before, _, after = page.replace(_SCRIPT, "").partition("</body>")
    yield before
    yield _data("about", about)
    scan = Scan(reel)
    yield _data("parts", list(scan.parts()))
    told = scan.told_from(about.first)
    for number in count():
        chunk = list(islice(told, CHUNK_RECORDS))
        if not chunk:
            break
        yield _data(f"records-{number}", chunk)
    yield f'<script type="module">{script}</script>\n</body>{after}'


def _data(name: str, value: object) -> str:
    packed = base64.b64encode(zlib.compress(msgspec.json.encode(value), _LEVEL)).decode()
    return f'<script type="application/octet-stream" id="data-{name}">{packed}</script>\n'


def _hash_of(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
