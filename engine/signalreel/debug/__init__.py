"""What can be asked of a reel: what happened, why, since when, and what if. Nothing here performs anything."""

from signalreel.debug.bisect import Bisected, OtherCode, Verified, bisect, bisect_against, bisect_invariant, verify
from signalreel.debug.causes import Cause, Trail, cause_chain, rule_name, rules_of
from signalreel.debug.coverage import Coverage, Tally, coverage_of
from signalreel.debug.diagram import machine_svg
from signalreel.debug.diff import Baseline, Difference, Group, Report, diff_code, diff_recorded, diff_reels
from signalreel.debug.failing import Breaks, Check, Differs, Holds
from signalreel.debug.finding import Finding, Given, given_by
from signalreel.debug.fork import Forked, fork
from signalreel.debug.inserting import read_inserted
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.debug.renumber import remade, renumber
from signalreel.debug.scan import Scan
from signalreel.debug.shrink import Shrunk, shrink
from signalreel.debug.state import Change, Watch, difference, plain, state_of
from signalreel.debug.story import ToldRecord, told_record
from signalreel.debug.written import written_test

__all__ = (
    "Baseline",
    "Bisected",
    "Breaks",
    "Cause",
    "Change",
    "Check",
    "Coverage",
    "Difference",
    "Differs",
    "Finding",
    "Forked",
    "Given",
    "Group",
    "Holds",
    "OtherCode",
    "Predicate",
    "Report",
    "Scan",
    "Shrunk",
    "Tally",
    "ToldRecord",
    "Trail",
    "Verified",
    "Watch",
    "bisect",
    "bisect_against",
    "bisect_invariant",
    "cause_chain",
    "compile_predicate",
    "coverage_of",
    "diff_code",
    "diff_recorded",
    "diff_reels",
    "difference",
    "fork",
    "given_by",
    "machine_svg",
    "plain",
    "read_inserted",
    "remade",
    "renumber",
    "rule_name",
    "rules_of",
    "shrink",
    "state_of",
    "told_record",
    "verify",
    "written_test",
)
