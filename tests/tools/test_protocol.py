"""The page of the protocol: whoever reads it learns what each field is for."""

import pytest

from signalreel.commands import COMMANDS, Command
from tools.specifications.writing import notes_of


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: str(command.__struct_config__.tag))
def test_every_field_of_a_command_says_what_it_means(command: type[Command]) -> None:
    """Also one that is taken and means nothing: a client's author must not wait for what it never does."""
    notes = notes_of(command)

    assert [field for field in command.__struct_fields__ if not notes.get(field)] == []
