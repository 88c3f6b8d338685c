"""`signalreel_adapters.configuration.settings`: names of settings."""

from typing import Any

import pytest

from signalreel.settings import PAGE_NAMES, Settings
from signalreel_adapters.configuration.settings import settings_of


@pytest.mark.parametrize(("page_name", "field"), sorted(PAGE_NAMES.items()))
def test_the_pages_names_are_names(page_name: str, field: str) -> None:
    """Written in quotes, or as the tables that TOML makes of a name with dots."""
    nested: dict[str, Any] = {}
    inner = nested
    *outer, last = page_name.split(".")
    for part in outer:
        inner = inner.setdefault(part, {})
    inner[last] = 50

    assert settings_of({page_name: 50}) == {field: 50}
    assert settings_of(nested) == {field: 50}


@pytest.mark.parametrize("field", Settings.__struct_fields__)
def test_every_setting_can_be_set(field: str) -> None:
    """By its name in Python and by its name in the specification."""
    wire = dict(zip(Settings.__struct_fields__, Settings.__struct_encode_fields__, strict=True))[field]
    default = getattr(Settings(), field)

    assert settings_of({field: default}) == {field: default}
    assert settings_of({wire: default}) == {field: default}
