"""`signalreel_adapters.viewer.page`."""

import base64
import hashlib
import re
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.reel import MemoryReel
from signalreel_adapters.viewer.about import CHUNK_RECORDS
from signalreel_adapters.viewer.page import EXPORT_RECORDS_MAX, TooLong, bundle, export_page, static_folder
from tests.engine.world import World

HOSTILE: Final = "</script><img src=x onerror=alert(1)>"

SCRIPT: Final = re.compile(r'<script type="module">(?P<text>.*?)</script>', re.DOTALL)
STYLE: Final = re.compile(r"<style>(?P<text>.*?)</style>", re.DOTALL)
DATA: Final = re.compile(r'<script type="application/octet-stream" id="data-(?P<name>[a-z0-9-]+)">(?P<packed>[^<]*)<')
POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="(?P<policy>[^"]*)">')


def exported(reel: MemoryReel, name: str = "calls.reel") -> str:
    """The whole file."""
    return "".join(export_page(reel, name, redacted=False))


def data_of(page: str) -> dict[str, Any]:
    """What is packed in a file, by its names."""
    return {
        found["name"]: msgspec.json.decode(zlib.decompress(base64.b64decode(found["packed"], validate=True)))
        for found in DATA.finditer(page)
    }


def a_call(records: int = 0) -> World:
    """A publisher, and as many records besides as are wanted."""
    world = World()
    world.open("alice")
    world.publish("alice", "cam")
    while len(world.records) < records:
        world.say("alice", Publish("cam"))
    return world


def test_the_whole_reel_is_in_the_file() -> None:
    """What it is, its columns, and every record in chunks, each in its place."""
    world = a_call(CHUNK_RECORDS + 3)
    data = data_of(exported(world.reel()))

    assert set(data) == {"about", "parts", "records-0", "records-1"}
    assert data["about"]["records"] == CHUNK_RECORDS + 3
    assert [record["seq"] for number in range(2) for record in data[f"records-{number}"]] == [
        record.seq for record in world.records
    ]
    assert sum(len(part["times"]) for part in data["parts"]) == CHUNK_RECORDS + 3


def test_the_policy_allows_what_is_in_the_file_and_no_request() -> None:
    """Script and style are named by their hashes, nothing may be fetched from anywhere, and nothing is referred to."""
    page = exported(a_call().reel())
    [policy] = [found["policy"] for found in POLICY.finditer(page)]
    hashes = [
        "sha256-" + base64.b64encode(hashlib.sha256(found["text"].encode()).digest()).decode()
        for pattern in (SCRIPT, STYLE)
        for found in pattern.finditer(page)
    ]

    assert policy == (
        f"default-src 'none'; script-src '{hashes[0]}'; style-src '{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)


def test_no_text_of_a_reel_becomes_markup() -> None:
    """Names with markup in them, of streams, sessions and the file, are nowhere in the file but packed."""
    world = World()
    world.open(HOSTILE)
    world.say(HOSTILE, Publish(HOSTILE))
    page = exported(world.reel(), HOSTILE)

    assert "onerror" not in page
    assert page.count("</script>") == len(DATA.findall(page)) + 1
    assert data_of(page)["about"]["name"] == HOSTILE
    assert data_of(page)["records-0"][1]["about"] == [HOSTILE]


def test_modules_are_put_behind_those_that_they_import_from(tmp_path: Path) -> None:
    """Each once, without a word of import or export, whatever the order in which they name one another."""
    (tmp_path / "viewer.js").write_text('import { one } from "./one.js";\nimport { two } from "./two.js";\none(two);\n')
    (tmp_path / "one.js").write_text('import { two } from "./two.js";\n\nexport function one() {}\n')
    (tmp_path / "two.js").write_text("export const two = 2;\n")

    assert [line for line in bundle(tmp_path).splitlines() if line] == [
        "const two = 2;",
        "function one() {}",
        "one(two);",
    ]


def test_the_scripts_of_the_viewer_can_be_put_behind_one_another() -> None:
    """They import and export in the way that the bundle knows, no two declare a name, and none ends its element."""
    script = bundle(static_folder())
    declared = re.findall(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", script, re.MULTILINE)

    assert not re.search(r"^(?:import|export)\b", script, re.MULTILINE)
    assert "</script" not in script
    assert len(declared) == len(set(declared))


def test_the_page_counts_with_the_chunks_of_the_server() -> None:
    """The one number that stands in both languages is the same."""
    assert f"const CHUNK = {CHUNK_RECORDS};" in (static_folder() / "source.js").read_text(encoding="utf-8")


class Endless(MemoryReel):
    """A reel that says it has more records than a page takes."""

    @property
    def last_seq(self) -> int:
        """One more than the limit."""
        return EXPORT_RECORDS_MAX + 1


def test_a_reel_that_no_browser_could_hold_is_not_exported() -> None:
    """It is refused before anything is read, and said what to do instead."""
    with pytest.raises(TooLong, match="without --export"):
        exported(Endless(World().reel().header))
