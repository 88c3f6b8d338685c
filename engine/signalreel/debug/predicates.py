"""Conditions on a moment of a reel: one small language for `bisect --if`, breakpoints and `shrink --fails`.

    predicate = compile_predicate('stream("s1").state == "broadcasting" and not sent("publish_started")')
    predicate.holds(engine, step, divergence)

An expression is written as in Python, and read, never run as Python: there are `and`, `or`, `not`, the comparisons,
`in`, `+` and `-`, texts, numbers, tuples, and these names. It is held against what is so just after a record.

    refused                     the definition with which the record was refused, else ""
    input                       the name of the record's input: "publish", "SessionClosed", "closeRoom"
    input("publish", stream_id="s1")            whether it is this input, with these values
    session, seq, time          of the record; the time in seconds since the reel began
    diverged                    what differs from what was recorded ("transitions", "digest" ...), else ""
    sent("publish_finished", to="a1b2")         how many messages the record sends, by name or definition, and values
    moved("stream", "s1", "broadcasting")       how many transitions it makes, by kind, id and target; source=, app=
    fired("relay_answer")       how many rules fire in whose name this text stands
    invariant("room-list")      whether the record breaks this invariant; without a name, any of them
    stream("s1"), playback("a1b2/s1"), pair("p"), room("r")     a machine, true when it lives; app=
    stream("s1").state          a field of it; "" or 0 when it does not live. A room has `members`, their sessions
    count(stream, state="broadcasting")         how many machines, or sessions, with these values
    len(...)                    of a text or a field with several values

The session of a playback, and every session, may be shortened to its beginning where it is compared by a call.
"""

import ast
import operator
from collections.abc import Callable, Sized
from typing import Any, Final, cast

from msgspec import UNSET, Struct

from signalreel.commands import COMMANDS
from signalreel.debug.causes import rules_of
from signalreel.engine import TABLES, Engine
from signalreel.errors import Divergence, InvalidPredicate
from signalreel.events import EVENTS
from signalreel.host import HOST_COMMANDS
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.context import Session
from signalreel.messages import MESSAGES
from signalreel.record import input_name
from signalreel.step import Step
from signalreel.verify import INVARIANTS, Monitor, violations_of

__all__ = ("INPUTS", "NODES_MAX", "PREDICATE_LENGTH_MAX", "Predicate", "compile_predicate")

PREDICATE_LENGTH_MAX: Final = 2_000
"""Characters of an expression."""

NODES_MAX: Final = 200
"""Names, values and operators in it."""


class _Moment(Struct, frozen=True, gc=False):
    """What an expression is held against."""

    engine: Engine
    step: Step
    divergence: Divergence | None
    broken: frozenset[str]  #: invariants that the record broke; known only where the expression asks


_Part = Callable[[_Moment], Any]
"""A part of an expression, compiled."""

_FIELDS: Final = {kind: frozenset(table.machine.__struct_fields__) for kind, table in TABLES.items()}
_OF_MESSAGES: Final = frozenset(name for kind in MESSAGES.values() for name in kind.__struct_fields__)
INPUTS: Final[dict[str, type[Struct]]] = {**COMMANDS, **EVENTS, **HOST_COMMANDS}
"""Every input by its name on the reel."""

_NOTHING_BROKEN: Final[frozenset[str]] = frozenset()
_OF_SESSIONS: Final = frozenset(Session.__struct_fields__)

_COMPARING: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_COMPUTING: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {ast.Add: operator.add, ast.Sub: operator.sub}

_NAMES: Final[dict[str, _Part]] = {
    "refused": lambda moment: moment.step.refused,
    "input": lambda moment: input_name(moment.step.record),
    "session": lambda moment: moment.step.record.session,
    "seq": lambda moment: moment.step.record.seq,
    "time": lambda moment: moment.step.record.time / 1_000_000,
    "diverged": lambda moment: moment.divergence.what if moment.divergence is not None else "",
}


# ---------------------------------------------------------------- what can be called


def _has(value: Struct | None, wanted: dict[str, object]) -> bool:
    return value is not None and all(getattr(value, name, UNSET) == want for name, want in wanted.items())


def _input(moment: _Moment, name: str, **wanted: object) -> bool:
    return input_name(moment.step.record) == name and _has(moment.step.record.input, wanted)


def _sent(moment: _Moment, name: str = "", to: str = "", **wanted: object) -> int:
    return sum(
        session.startswith(to)
        and name in ("", type(message).__struct_config__.tag, getattr(message, "definition", ""))
        and _has(message, wanted)
        for session, message in moment.step.messages
    )


def _moved(moment: _Moment, kind: str = "", id: str = "", target: str = "", source: str = "", app: str = "") -> int:
    return sum(
        kind in ("", made.machine.kind)
        and (not id or _is_named(made.machine.kind, made.machine.id, id))
        and target in ("", made.target)
        and source in ("", made.source)
        and app in ("", made.machine.app)
        for made in moment.step.transitions
    )


def _fired(moment: _Moment, text: str) -> int:
    return sum(text in rule for rule in rules_of(moment.step))


def _is_named(kind: str, id: str, wanted: str) -> bool:
    """Whether an id is the one that is meant; of a playback's, the session may be shortened."""
    if id == wanted or kind != Kind.PLAYBACK:
        return id == wanted
    session, _, played = id.partition("/")
    beginning, _, meant = wanted.partition("/")
    return played == meant and session.startswith(beginning)


def _machine(kind: Kind) -> Callable[..., AnyMachine | None]:
    def find(moment: _Moment, id: str, app: str = "") -> AnyMachine | None:
        engine = moment.engine
        if app and (kind is not Kind.PLAYBACK or engine.find(kind, id, app=app) is not None):
            return engine.find(kind, id, app=app)
        found = [key for key, _ in engine.machines(kind) if app in ("", key[1]) and _is_named(kind, key[2], id)]
        return engine.find(kind, min(found)[2], app=min(found)[1]) if found else None

    return find


def _count(moment: _Moment, kind: str, **wanted: object) -> int:
    if kind == "session":
        return sum(_has(session, wanted) for session in moment.engine.sessions())
    return sum(_has(machine, wanted) for _, machine in moment.engine.machines(Kind(kind)))


class _Callable(Struct, frozen=True):
    """What can be called: how many values without a name it takes, and which with one."""

    compute: Callable[..., Any]
    least: int
    most: int
    values: Callable[[object], frozenset[str] | None]  #: by the first value; None: there is no such
    names_kind: bool = False  #: the first value is a bare word: the kind of machine


def _invariant(moment: _Moment, name: str = "") -> bool:
    return name in moment.broken if name else bool(moment.broken)


def _length(_: _Moment, value: Sized) -> int:
    return len(value)


def _constant(value: object) -> _Part:
    return lambda _: value


def _only(*names: str) -> Callable[[object], frozenset[str]]:
    return lambda _: frozenset(names)


def _of_input(name: object) -> frozenset[str] | None:
    kind = cast(Any, INPUTS.get(str(name)))
    return frozenset(kind.__struct_fields__) if kind is not None else None


def _of_invariant(name: object) -> frozenset[str] | None:
    return frozenset() if name is None or name in INVARIANTS else None


def _of_kind(kind: object) -> frozenset[str] | None:
    return _OF_SESSIONS if kind == "session" else _FIELDS.get(cast(Kind, kind))


_CALLS: Final[dict[str, _Callable]] = {
    "input": _Callable(_input, 1, 1, _of_input),
    "sent": _Callable(_sent, 0, 1, _only("to", *_OF_MESSAGES)),
    "moved": _Callable(_moved, 0, 3, _only("kind", "id", "target", "source", "app")),
    "fired": _Callable(_fired, 1, 1, _only()),
    "invariant": _Callable(_invariant, 0, 1, _of_invariant),
    "count": _Callable(_count, 1, 1, _of_kind, names_kind=True),
    "len": _Callable(_length, 1, 1, _only()),
    **{str(kind): _Callable(_machine(kind), 1, 1, _only("app")) for kind in Kind},
}


_OF_STATE: Final = frozenset((*map(str, Kind), "count", "len", "session"))


# ---------------------------------------------------------------- reading


class Predicate:
    """An expression that was read: whether it holds after a record. Made by `compile_predicate`."""

    def __init__(self, text: str, part: _Part, *, asks_invariants: bool = False, is_of_state: bool = False) -> None:
        self.text: Final = text
        self.is_of_state: Final = is_of_state  #: it asks the state alone, and nothing of the record or its step
        self._part = part
        self._asks_invariants = asks_invariants
        self._watcher: tuple[Engine, Monitor] | None = None
        self._seen = 0

    def watch(self, engine: Engine) -> None:
        """Begin to look at an engine, before the first record that it is held against; needed for invariants alone."""
        if self._asks_invariants:
            self._watcher = (engine, Monitor(engine))
            self._seen = engine.seq

    def holds(self, engine: Engine, step: Step, divergence: Divergence | None = None) -> bool:
        """Say whether it holds, with the engine in the state just after the step.

        Invariants are held against every step that it is asked of; when records were passed over meanwhile, against the
        state alone. Raises `InvalidPredicate` when it compares what cannot be compared, such as a text with a number.
        """
        broken = self._broken(engine, step) if self._asks_invariants else _NOTHING_BROKEN
        try:
            return bool(self._part(_Moment(engine, step, divergence, broken)))
        except TypeError as error:
            raise InvalidPredicate(self.text, 0, str(error)) from None

    def _broken(self, engine: Engine, step: Step) -> frozenset[str]:
        last, self._seen = self._seen, step.record.seq
        if self._watcher is None or self._watcher[0] is not engine:
            self._watcher, last = (engine, Monitor(engine)), -1
        monitor = self._watcher[1]
        if step.record.seq == last + 1:
            found = monitor.observe(engine, step)
        else:
            monitor.restored()
            found = violations_of(engine)
        return frozenset(violation.invariant for violation in found)

    def __str__(self) -> str:
        return self.text


def compile_predicate(text: str) -> Predicate:
    """Read an expression. Raises `InvalidPredicate`, which says what is wrong and where."""
    if len(text) > PREDICATE_LENGTH_MAX:
        raise InvalidPredicate(text, 0, f"it is longer than {PREDICATE_LENGTH_MAX} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise InvalidPredicate(text, error.offset or 0, error.msg) from None
    except (ValueError, RecursionError, MemoryError):
        raise InvalidPredicate(text, 0, "it is nested too deep, or holds a character that no expression has") from None
    if sum(1 for _ in ast.walk(tree)) > NODES_MAX:
        raise InvalidPredicate(text, 0, f"it has more than {NODES_MAX} parts")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    part = _Reader(text).part(tree.body)
    return Predicate(text, part, asks_invariants="invariant" in names, is_of_state=names <= _OF_STATE)


class _Reader:
    """Compiles an expression, part by part."""

    def __init__(self, text: str) -> None:
        self._text = text

    def part(self, node: ast.expr) -> _Part:
        """Compile a part of the expression."""
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str() as value):
                return _constant(value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                parts = [self.part(element) for element in elements]
                return lambda moment: tuple(part(moment) for part in parts)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.BoolOp(op=ast.And(), values=values):
                parts = [self.part(value) for value in values]
                return lambda moment: all(part(moment) for part in parts)
            case ast.BoolOp(values=values):
                parts = [self.part(value) for value in values]
                return lambda moment: any(part(moment) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                negated = self.part(operand)
                return lambda moment: not negated(moment)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return _constant(-number)
            case ast.Compare(left=left, ops=operators, comparators=comparators):
                return self._comparison(node, [left, *comparators], operators)
            case ast.BinOp(left=left, op=computing, right=right) if type(computing) in _COMPUTING:
                compute, one, other = _COMPUTING[type(computing)], self.part(left), self.part(right)
                return lambda moment: compute(one(moment), other(moment))
            case ast.Attribute(value=ast.Call() as call, attr=name):
                return self._field(node, call, name)
            case ast.Call():
                return self._call(node)
            case _:
                raise self._wrong(node, "this cannot stand in an expression")

    def _wrong(self, node: ast.AST, why: str) -> InvalidPredicate:
        return InvalidPredicate(self._text, getattr(node, "col_offset", 0) + 1, why)

    def _name(self, node: ast.Name, name: str) -> _Part:
        if name in _NAMES:
            return _NAMES[name]
        if name in _CALLS:
            raise self._wrong(node, f"{name} is to be called: {name}(...)")
        raise self._wrong(node, f"there is no {name!r}; there are {', '.join({**_NAMES, **_CALLS})}")

    def _comparison(self, node: ast.Compare, sides: list[ast.expr], operators: list[ast.cmpop]) -> _Part:
        unknown = [each for each in operators if type(each) not in _COMPARING]
        if unknown:
            raise self._wrong(node, "compare with == != < <= > >= in, not in")
        parts = [self.part(side) for side in sides]
        compares = [_COMPARING[type(each)] for each in operators]

        def holds(moment: _Moment) -> bool:
            values = [part(moment) for part in parts]
            return all(compare(values[i], values[i + 1]) for i, compare in enumerate(compares))

        return holds

    def _field(self, node: ast.Attribute, call: ast.Call, name: str) -> _Part:
        kind = call.func.id if isinstance(call.func, ast.Name) else ""
        if kind not in _FIELDS:
            raise self._wrong(node, "only a machine has fields: stream(...), playback(...), pair(...), room(...)")
        fields = _FIELDS[Kind(kind)]
        if name not in fields:
            raise self._wrong(node, f"a {kind} has no {name!r}; it has {', '.join(sorted(fields))}")
        machine, table = self._call(call), TABLES[Kind(kind)]
        if name == "members":
            return lambda moment: getattr(machine(moment), "sessions", ())
        blank = "" if name == "state" else getattr(table.machine("", "", table.initial), name)
        return lambda moment: getattr(machine(moment), name, blank)

    def _call(self, node: ast.Call) -> _Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _CALLS:
            raise self._wrong(node, f"only these can be called: {', '.join(_CALLS)}")
        if any(keyword.arg is None for keyword in node.keywords):
            raise self._wrong(node, "`**` cannot stand in an expression")
        call = _CALLS[name]
        if not call.least <= len(node.args) <= call.most:
            many = f"{call.least}" if call.least == call.most else f"{call.least} to {call.most}"
            raise self._wrong(node, f"{name}() takes {many} value(s) without a name")
        given = list(node.args)
        if call.names_kind and isinstance(given[0], ast.Name):
            given[0] = ast.copy_location(ast.Constant(given[0].id), given[0])
        first = given[0].value if given and isinstance(given[0], ast.Constant) else None
        known = call.values(first)
        if known is None:
            raise self._wrong(node, f"{name}() knows nothing called {first!r}")
        for keyword in node.keywords:
            if keyword.arg not in known:
                offered = ", ".join(sorted(known)) or "no value by a name"
                raise self._wrong(keyword.value, f"{name}() has no {keyword.arg!r}; it has {offered}")
        parts = [self.part(each) for each in given]
        named = [(str(keyword.arg), self.part(keyword.value)) for keyword in node.keywords]
        compute = call.compute
        return lambda moment: compute(
            moment, *(part(moment) for part in parts), **{key: part(moment) for key, part in named}
        )
