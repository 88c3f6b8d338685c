"""A failure that was made small, written as a test: it fails as long as the failure is there, and passes afterwards."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from signalreel.debug.causes import rule_name, rules_of
from signalreel.debug.failing import Breaks, Check, Differs, Holds, Start, steps_of
from signalreel.debug.finding import Given, given_by
from signalreel.debug.literals import WIDTH, Code, text_of
from signalreel.debug.shrink import Shrunk
from signalreel.logic import CATALOGUE
from signalreel.messages import AnyMessage
from signalreel.record import Record, input_name
from signalreel.settings import Settings
from signalreel.step import Step, Transition

__all__ = ("written_test",)

_INDENT: Final = " " * 4

_message: Final = msgspec.json.Decoder(AnyMessage).decode


def written_test(shrunk: Shrunk) -> str:
    """Write the test. It imports nothing but `signalreel`, and holds words of the protocol and new names alone."""
    code = Code()
    code.need("", "Engine")
    steps = steps_of(shrunk.start, shrunk.records)
    right = _right(shrunk)
    checking = "".join(_checking(code, shrunk.check, steps[-1], right))
    engine = _engine(code, shrunk.start)
    seam = _seam(code, shrunk.start)
    records = _records(code, shrunk.records)
    return (
        f'"""What `signalreel shrink` left of {shrunk.before} records: the last of {len(steps)} goes wrong."""\n\n'
        f"{code.imports()}\n\n"
        f"{seam}{records}\n\n"
        f"def test_{_named(shrunk.check, steps[-1])}() -> None:\n"
        f'{_INDENT}"""{_docstring(shrunk.check, steps[-1], right)}{_INDENT}"""\n'
        f"{engine}{checking}"
    )


def _right(shrunk: Shrunk) -> Given | None:
    """What the last record should cause, where another code says so."""
    check = shrunk.check
    return check.other(shrunk.start, shrunk.records)[-1] if isinstance(check, Differs) else None


def _named(check: Check, step: Step) -> str:
    """Name the test by the invariant, else by what the last record asks of what."""
    if isinstance(check, Breaks):
        return _snake(check.invariant.name)
    input = _snake(input_name(step.record))
    decided = [fired for _, fired in step.fired if fired.state]
    return f"{input}_while_the_{decided[-1].kind}_is_{_snake(decided[-1].state)}" if decided else input


def _snake(name: str) -> str:
    spaced = "".join(f" {letter}" if letter.isupper() else letter if letter.isalnum() else " " for letter in name)
    return "_".join(spaced.lower().split())


def _docstring(check: Check, step: Step, right: Given | None) -> str:
    """Say what goes wrong by the last record, and by which rule."""
    lines = [f"{_sentence(check)}\n", "\n", *_listed("The last record is decided by", rules_of(step))]
    rules = tuple(rule_name(fired) for _, fired in right.fired) if right is not None else rules_of(step)
    if rules != rules_of(step):
        lines += ["\n", *_listed("It should be decided by", rules)]
    return "".join(lines).replace("\\", "\\\\").replace('"""', "'''")


def _sentence(check: Check) -> str:
    """Say what must be so: a sentence, and whatever makes it exact."""
    match check:
        case Breaks():
            said, exact = "The invariant must hold after every record.", check.invariant.sentence
        case Differs():
            return "The last record must cause what it should."
        case _:
            said, exact = "After no record may this hold.", check.text
    lines = textwrap.wrap(exact, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return "\n".join([said, "", *(f"{_INDENT * 2}{line}" for line in lines)])


def _listed(head: str, rules: tuple[str, ...]) -> Iterator[str]:
    yield f"    {head}\n"
    for rule in rules or ("no rule",):
        lines = textwrap.wrap(rule, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        yield "".join(f"{'      ' if number else '    * '}{line}\n" for number, line in enumerate(lines))


def _seam(code: Code, start: Start) -> str:
    """Write the state that the records go on from."""
    return code.line("SEAM = ", code.of(start.seam), indent=0) + "\n" if start.seam is not None else ""


def _records(code: Code, records: Sequence[Record]) -> str:
    """Write the records, each on a line of its own."""
    if len(records) == 1:
        return code.line("RECORDS = ", code.of(tuple(records)), indent=0)
    lines = "".join(f"    {code.of(record).laid_out(len(_INDENT), 1, len(_INDENT))},\n" for record in records)
    return f"RECORDS = (\n{lines})\n"


def _engine(code: Code, start: Start) -> str:
    header = start.header
    parts = [code.of(header.settings)] if header.settings != Settings() else []
    if header.started_at:
        parts.append(code.of(header.started_at, "started_at="))
    if header.logic != CATALOGUE.numbers:
        parts.append(code.of(header.logic, "logic="))
    restored = f"{_INDENT}engine.restore(SEAM)\n" if start.seam is not None else ""
    return code.line("engine = ", code.call("Engine", parts), indent=4) + restored


def _checking(code: Code, check: Check, step: Step, right: Given | None) -> Iterator[str]:
    """Apply the records and hold what they cause against what they must."""
    match check:
        case Holds():
            code.need("signalreel.debug", "compile_predicate")
            yield code.line("wrong = ", code.call("compile_predicate", [code.of(check.text)]), indent=4)
            yield f"{_INDENT}for record in RECORDS:\n"
            yield f"{_INDENT * 2}step = engine.apply(record)\n"
            yield f'{_INDENT * 2}assert not wrong.holds(engine, step), f"record {{record.seq}}"\n'
        case Breaks():
            code.need("signalreel.verify.invariants", "Monitor")
            yield f"{_INDENT}monitor = Monitor(engine)\n"
            yield f"{_INDENT}for record in RECORDS:\n"
            yield f"{_INDENT * 2}broken = monitor.observe(engine, engine.apply(record))\n"
            yield f"{_INDENT * 2}names = [violation.invariant for violation in broken]\n"
            yield f'{_INDENT * 2}assert {text_of(check.invariant.name)} not in names, f"record {{record.seq}}"\n'
        case _:
            yield f"{_INDENT}*_, last = [engine.apply(record) for record in RECORDS]\n"
            if right is not None:
                yield from _comparing(code, given_by(step), right)


def _comparing(code: Code, mine: Given, right: Given) -> Iterator[str]:
    """Compare the last step with what the other code gives, in what is different."""
    if mine.refused != right.refused:
        yield code.line("assert last.refused == ", code.of(right.refused), indent=4)
    if mine.details != right.details:
        transitions = msgspec.msgpack.decode(right.details, type=list[Transition])
        yield code.line("assert last.transitions == ", code.of(transitions), indent=4)
    if mine.messages != right.messages:
        messages = [(to, _message(said)) for to, said in right.messages]
        yield code.line("assert last.messages == ", code.of(messages), indent=4)
    if mine.deadline != right.deadline:
        due = right.deadline[0] if right.deadline is not None else None
        if due is None:
            yield f"{_INDENT}assert last.deadline is None\n"
        else:
            yield f"{_INDENT}assert last.deadline is not None\n"
            yield code.line("assert last.deadline.at == ", code.of(due), indent=4)
