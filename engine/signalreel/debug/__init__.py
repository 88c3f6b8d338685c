"""What can be asked of a reel: what happened, why, since when, and what if. Nothing here performs anything."""

from signalreel.debug.state import Change, Watch, difference, plain, state_of

__all__ = ("Change", "Watch", "difference", "plain", "state_of")
