"""`signalreel.debug.words`."""

from typing import cast

from msgspec import Struct, inspect, structs

from signalreel.debug.words import EXEMPT, NAMING, OWN_JSON, REASON_WORDS, STATES
from signalreel.engine import TABLES
from signalreel.header import Header
from signalreel.record import Record
from signalreel.snapshot import Snapshot
from tests.engine.debug.canaries import CANARY


def structs_in(*roots: type[Struct]) -> set[type[Struct]]:
    """Every Struct that a value of these types can hold."""
    found: set[object] = set()
    rest: list[inspect.Type] = [inspect.type_info(root) for root in roots]
    while rest:
        match rest.pop():
            case inspect.StructType(cls=kind, fields=fields) if kind not in found:
                found.add(kind)
                rest += [field.type for field in fields]
            case inspect.UnionType(types=types):
                rest += types
            case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
                rest.append(item)
            case inspect.TupleType(item_types=items):
                rest += items
            case inspect.DictType(key_type=key, value_type=value):
                rest += [key, value]
            case _:
                pass
    return cast(set[type[Struct]], found)


def test_every_exempted_field_is_there_and_says_why() -> None:
    """A field that was renamed leaves no entry behind, under which another one could come through some day."""
    for (kind, field), exempt in EXEMPT.items():
        assert field.removesuffix(" keys") in kind.__struct_fields__, (kind, field)
        assert exempt.why, (kind, field)
    for owner, name in OWN_JSON:
        assert name in owner.__struct_fields__


def test_what_names_streams_and_rooms_is_there() -> None:
    """The fields whose values may be kept exist, in what a reel can hold."""
    fields = {field.name for kind in structs_in(Record, Header, Snapshot) for field in structs.fields(kind)}
    assert set(NAMING) - fields == set()


def test_no_exemption_lets_a_strange_text_through() -> None:
    """Whatever stays is a word that was listed: a text that nobody thought of does not, in any field."""
    strange = (
        f"{CANARY}7",
        f"the {CANARY} failed",
        "0 alice",
        "alice@example.org",
        "192.0.2.7",
        "+49 30 1234567",
        "0.1.0-x",
    )
    assert [(place, text) for place, exempt in EXEMPT.items() for text in strange if exempt.stays(text)] == []


def test_words_are_letters_alone() -> None:
    """No number can be spelled with the words of reasons, so no address or telephone number can either."""
    assert [word for word in REASON_WORDS if not (word.isascii() and word.isalpha() and word.islower())] == []


def test_every_state_is_a_word_of_the_protocol() -> None:
    """The outcomes of a redacted reel can be read."""
    assert {str(state) for table in TABLES.values() for state in table.states} <= STATES
