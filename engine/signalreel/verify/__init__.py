"""What must hold of every state and every step, whatever happened before."""

from signalreel.verify.catalogue import INVARIANTS, Invariant, Violation
from signalreel.verify.invariants import Monitor, violations_of

__all__ = ("INVARIANTS", "Invariant", "Monitor", "Violation", "violations_of")
