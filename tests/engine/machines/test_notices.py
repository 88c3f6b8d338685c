"""Notices stay inside of a step."""

from signalreel.commands import COMMANDS
from signalreel.engine import TABLES
from signalreel.events import EVENTS
from signalreel.host import HOST_COMMANDS
from signalreel.machines import notices
from signalreel.machines.base import Notice

ON_THE_REEL = {*COMMANDS.values(), *HOST_COMMANDS.values(), *EVENTS.values()}


def test_every_notice_is_heard_by_some_machine() -> None:
    """A notice that no table knows would be sent for nothing; one that a table knows is defined here."""
    heard = {input for table in TABLES.values() for input in table.inputs if issubclass(input, Notice)}

    assert heard == {getattr(notices, name) for name in notices.__all__}


def test_a_notice_is_no_input() -> None:
    """Contract 2: notices follow from records, so none can stand on a reel; all else that machines hear does."""
    for table in TABLES.values():
        for input in table.inputs:
            assert (input in ON_THE_REEL) is not issubclass(input, Notice)
