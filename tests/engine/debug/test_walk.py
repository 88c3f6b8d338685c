"""`signalreel.debug.walk`."""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, structs

from signalreel.commands import PeerMessage, Play, Publish
from signalreel.debug.walk import NOWHERE, OWN_JSON_DEPTH_MAX, Place, walked
from signalreel.events import DescriptionCreated
from signalreel.identifiers import Kind, Reference


def shouted(text: str, place: Place) -> str:
    """Each text in capitals."""
    return text.upper()


class FieldOfTomorrow(Struct, frozen=True):
    """Something that no table of this project has heard of."""

    name: str
    names: tuple[str, ...] = ()
    deep: tuple[tuple[str, tuple[str, ...]], ...] = ()
    named: dict[str, list[str]] = {}
    number: int = 7
    own: Any = None


def test_a_field_that_nobody_thought_of_is_walked() -> None:
    """By the types alone: in tuples, lists and dicts; numbers stay, but those of a value of any type do not."""
    value = FieldOfTomorrow("a", ("b",), (("c", ("d",)),), {"e": ["f"]}, own={"g": [1, 2.5, True, None, "h"]})

    assert walked(value, shouted) == FieldOfTomorrow(
        "A", ("B",), (("C", ("D",)),), {"E": ["F"]}, own={"G": [0, 0, True, None, "H"]}
    )


def test_places_are_told() -> None:
    """Of each text: in which field it stands, and whether it names a stream or a room."""
    seen: list[tuple[str, str, bool]] = []

    def note(text: str, place: Place) -> str:
        seen.append((text, place.field, place.names))
        return text

    reference = Reference(Kind.STREAM, "live", "cam", 1)
    walked(DescriptionCreated(reference, "offer", "v=0", {"0": "ARDAMSvcam"}), note)
    assert seen == [
        *(("live", "app", False), ("cam", "id", True), ("offer", "type", False), ("v=0", "sdp", False)),
        *(("0", "id_mapping keys", False), ("ARDAMSvcam", "id_mapping", False)),
    ]
    seen.clear()
    walked(Play("cam", room="lobby"), note)
    assert [text for text, _, names in seen if names] == ["cam", "lobby", ""]


def test_what_does_not_change_is_not_made_anew() -> None:
    """A value without any other text is the same object, enumerations included."""
    value = Publish("cam")
    assert walked(value, lambda text, place: text) is value
    assert walked(Kind.STREAM, shouted) is Kind.STREAM


def test_a_clients_own_json_has_an_end() -> None:
    """What is nested too deep is left out, and what JSON does not have too, instead of being trusted."""
    deep: Any = "secret"
    for _ in range(10 * OWN_JSON_DEPTH_MAX):
        deep = [deep]
    assert "SECRET" not in repr(walked(PeerMessage("s", "d", deep), shouted))

    odd = structs.replace(FieldOfTomorrow("a"), own=[b"bytes", datetime(2026, 1, 1, tzinfo=UTC)])
    assert walked(odd, shouted).own == [None, None]
    assert walked(datetime(2026, 1, 1, tzinfo=UTC), shouted) is None


def test_a_text_by_itself_stands_nowhere() -> None:
    """It is given with the place that says so."""
    assert walked("a", lambda text, place: str(place is NOWHERE)) == "True"
