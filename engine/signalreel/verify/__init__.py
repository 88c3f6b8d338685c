"""What must hold of every state and every step, whatever happened before, and a search for where it does not."""

from signalreel.verify.catalogue import INVARIANTS, Invariant, Violation
from signalreel.verify.explore import Explored, Found, explore
from signalreel.verify.invariants import Monitor, violations_of
from signalreel.verify.worlds import WORLDS, Said, World

__all__ = (
    "INVARIANTS",
    "WORLDS",
    "Explored",
    "Found",
    "Invariant",
    "Monitor",
    "Said",
    "Violation",
    "World",
    "explore",
    "violations_of",
)
