"""Reading what somebody typed to say where to go: a record, a distance, or a time."""

import re
from typing import Final

from signalreel_adapters.cli.debug.stepper.walk import Walk
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("place_in",)

_SECONDS: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)s")
_CLOCK: Final = re.compile(r"(?:([0-9]{1,6}):)?([0-9]{1,9}):([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_RECORD: Final = re.compile(r"([+-]?)([0-9]{1,18})")
_MICROSECONDS: Final = 1_000_000
_MINUTE: Final = 60
_HOUR: Final = 3_600


def place_in(walk: Walk, text: str) -> int:
    """Give the record that is meant. Raises `Mistake` when nothing is."""
    text = text.strip().lower()
    if text in ("start", "end"):
        return walk.first if text == "start" else walk.last
    if found := _RECORD.fullmatch(text):
        sign, digits = found.groups()
        distance = int(digits)
        return walk.clamped({"": distance, "+": walk.position + distance, "-": walk.position - distance}[sign])
    if found := _SECONDS.fullmatch(text):
        return walk.at_time(round(float(found[1]) * _MICROSECONDS))
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = found.groups()
        whole = int(hours or 0) * _HOUR + int(minutes) * _MINUTE + float(seconds)
        return walk.at_time(round(whole * _MICROSECONDS))
    raise Mistake("say a record (812, +50, -50, start, end) or a time (12.5s, 1:30)")
