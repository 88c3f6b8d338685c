"""What can be asked of a reel: what happened, why, since when, and what if. Nothing here performs anything."""

from signalreel.debug.causes import Cause, Trail, cause_chain, rule_name, rules_of
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.debug.state import Change, Watch, difference, plain, state_of

__all__ = (
    "Cause",
    "Change",
    "Predicate",
    "Trail",
    "Watch",
    "cause_chain",
    "compile_predicate",
    "difference",
    "plain",
    "rule_name",
    "rules_of",
    "state_of",
)
