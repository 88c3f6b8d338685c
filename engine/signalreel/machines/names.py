"""What a command names, checked before any machine sees it: present where it must be, and valid."""

from typing import Final

from signalreel.commands import COMMANDS, STREAMLESS, Command
from signalreel.identifiers import is_valid_name
from signalreel.refusals import INVALID_STREAM_NAME, NO_STREAM_NAME_SPECIFIED, Refusal

__all__ = ("refusal_of_names",)

_NAMING: Final = ("stream_id", "room", "main_track", "video_track_id")

_NAMES: Final[dict[type[Command], tuple[bool, tuple[str, ...]]]] = {
    command: (
        name not in STREAMLESS,
        tuple(field for field in _NAMING if field in command.__struct_fields__),
    )
    for name, command in COMMANDS.items()
}
"""Of each command: whether it needs a stream id, and which of its fields name a stream or room."""


def refusal_of_names(command: Command) -> Refusal | None:
    """Say what a command is refused with because of the names in it; None when they are good."""
    needs_stream, fields = _NAMES[type(command)]
    for field in fields:
        name: str = getattr(command, field)
        if name:
            if not is_valid_name(name):
                return INVALID_STREAM_NAME
        elif needs_stream and field == "stream_id":
            return NO_STREAM_NAME_SPECIFIED
    return None
