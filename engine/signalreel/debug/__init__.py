"""What can be asked of a reel: what happened, why, since when, and what if. Nothing here performs anything."""

from signalreel.debug.bisect import Bisected, OtherCode, Verified, bisect, bisect_against, bisect_invariant, verify
from signalreel.debug.causes import Cause, Trail, cause_chain, rule_name, rules_of
from signalreel.debug.diff import Baseline, Difference, Group, Report, diff_code, diff_recorded, diff_reels
from signalreel.debug.finding import Finding, Given, given_by
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.debug.state import Change, Watch, difference, plain, state_of

__all__ = (
    "Baseline",
    "Bisected",
    "Cause",
    "Change",
    "Difference",
    "Finding",
    "Given",
    "Group",
    "OtherCode",
    "Predicate",
    "Report",
    "Trail",
    "Verified",
    "Watch",
    "bisect",
    "bisect_against",
    "bisect_invariant",
    "cause_chain",
    "compile_predicate",
    "diff_code",
    "diff_recorded",
    "diff_reels",
    "difference",
    "given_by",
    "plain",
    "rule_name",
    "rules_of",
    "state_of",
    "verify",
)
