"""The header and its codec."""

from typing import Any, Final

import msgspec
import pytest

from signalreel.errors import ReelDamaged
from signalreel.header import HEADER_BYTES_MAX, Header, Parent, decode_header, encode_header
from signalreel.logic import Catalogue, Flag
from signalreel.record import FORMAT, schema_of_inputs
from signalreel.settings import Settings
from signalreel.upcasting import Upcaster, Upcasters

WHOLE: Final = Header(
    Settings(restore_ms=5),
    started_at=17,
    id="a-reel",
    seed=4,
    parent=Parent("another", 812, b"\x01" * 16, b"\x02" * 16),
)


def changed(**changes: object) -> bytes:
    """The bytes of a header in which something else stands."""
    fields: dict[str, Any] = msgspec.json.decode(encode_header(WHOLE))
    return msgspec.json.encode(fields | changes)


def test_a_header_comes_back_from_its_bytes() -> None:
    """Contract 9: initial settings, flags, versions, where it came from and what it was drawn from are all there."""
    assert decode_header(encode_header(WHOLE)) == WHOLE
    assert decode_header(encode_header(WHOLE).decode()) == WHOLE


def test_what_is_the_default_today_is_written_out() -> None:
    """A default of a later version must not be read into a reel of this one."""
    written = msgspec.json.decode(encode_header(Header(Settings())))

    assert {"version", "format", "engine_version", "logic", "schema", "started_at"} <= set(written)
    assert written["schema"] == schema_of_inputs()


def test_a_header_of_the_first_days_is_read_as_it_was_meant() -> None:
    """Contract 9: reels without id, flags, schema and versions replay; no flag was raised in them."""
    old = b'{"settings":{"restoreMs":3000},"started_at":17}'
    catalogue = Catalogue([Flag(1, "9.1.0", "made up")])

    assert decode_header(old, catalogue=catalogue) == Header(
        Settings(restore_ms=3_000), format=1, engine_version="0.1.0", started_at=17, logic=(), schema=""
    )


def test_a_header_of_an_older_shape_is_upcast() -> None:
    """What a setting was called before, and what it was when nothing was said, is an upcaster's to know."""

    def renamed(fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "settings": {"restoreMs": fields["settings"].pop("keepMs")}}

    upcasters = Upcasters([Upcaster("header", 1, 2, renamed)])
    old = b'{"settings":{"keepMs":3000}}'

    assert decode_header(old, upcasters=upcasters).settings == Settings(restore_ms=3_000)
    assert decode_header(encode_header(WHOLE, upcasters=upcasters), upcasters=upcasters) == WHOLE


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (changed(format=FORMAT + 1), "is newer than this version's"),
        (changed(version=2), "made by a newer version"),
        (changed(logic=[7]), "flag 7 of the logic, which a newer version"),
        (changed(settings={"lookMs": 1}), "cannot be read"),
        (changed(version="two"), "cannot be read"),
        (b"[]", "it is no JSON object"),
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b'{"a":' * 100_000, "at most"),
        (b'{"a":' * 20_000, "cannot be read"),
        (b" " * (HEADER_BYTES_MAX + 1), "at most 262144"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_told(data: bytes, why: str) -> None:
    """A header that a newer version wrote, or a stranger, is damage with a place and a reason."""
    with pytest.raises(ReelDamaged, match=why) as caught:
        decode_header(data, place="x.reel, header")
    assert caught.value.place == "x.reel, header"
