"""The section `[settings]`: what the machines obey, under the names of `signalreel.settings` or of the protocol page.

    [settings]
    viewers_max = 100
    server.cpu_limit = 75

A name of the page has dots, which in TOML make tables of it; written either way it is the same name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import msgspec

from signalreel.settings import PAGE_NAMES, Settings
from signalreel_adapters.configuration.errors import Misconfigured
from signalreel_adapters.configuration.names import reason_of, unknown

__all__ = ("settings_of",)

_ON_WIRE: Final = dict(zip(Settings.__struct_fields__, Settings.__struct_encode_fields__, strict=True))
_FIELDS: Final = {
    **{name: name for name in Settings.__struct_fields__},
    **{wire: name for name, wire in _ON_WIRE.items()},
    **PAGE_NAMES,
}
"""Of every name that a setting goes by: its field."""


def settings_of(section: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings that a section sets, by their fields. Raises `Misconfigured`."""
    found: dict[str, Any] = {}
    for name, value in _named(section, ""):
        field = _FIELDS.get(name)
        if field is None:
            raise unknown("settings", name, _FIELDS)
        if field in found:
            raise Misconfigured(f"settings.{name} sets {field}, which is set already under another name")
        try:
            msgspec.convert({_ON_WIRE[field]: value}, Settings)
        except msgspec.ValidationError as error:
            why = reason_of(error).partition(": ")[2]
            raise Misconfigured(f"settings.{name}: {why}") from None
        found[field] = value
    return found


def _named(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _named(cast(dict[str, Any], value), f"{before}{key}.")
        else:
            yield before + key, value
