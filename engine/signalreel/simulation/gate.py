"""The gate of a simulated server: who everyone is, and the one-time token that each attempt brings along."""

from typing import Final

from signalreel.commands import AnyCommand
from signalreel.grants import GATED
from signalreel.record import Grant
from signalreel.simulation.agenda import MINUTE
from signalreel.simulation.luck import Luck

__all__ = ("TOKEN_LASTS", "Gate")

TOKEN_LASTS: Final = 10 * MINUTE
"""From its being issued until a one-time token has expired by itself."""

_GATED: Final = frozenset(GATED)
_TAG_BITS: Final = 96
_STOLEN: Final = 0.3  #: of what a thief brings along, the share of tokens that were somebody else's


class Gate:
    """Decides about a command. A thief sometimes brings a token that somebody else has used."""

    def __init__(self, luck: Luck, *, uses_once: bool) -> None:
        self._luck: Final = luck
        self._uses_once: Final = uses_once
        self._last = ""

    def decide(self, command: AnyCommand, identity: str, now: int, *, is_thief: bool) -> Grant | None:
        """Give the verdict; None for a command that needs none. An identity that is empty belongs to nobody."""
        if type(command) not in _GATED:
            return None
        if self._luck.meets("wrong token"):
            return Grant(allowed=False)
        once = ""
        if self._uses_once:
            random = self._luck.random
            if is_thief and self._last and random.random() < _STOLEN:
                once = self._last
            else:
                once = f"{random.getrandbits(_TAG_BITS):024x}"
                self._last = once
        return Grant(allowed=True, identity=identity, once=once, until=now + TOKEN_LASTS if once else 0)
