"""The exceptions of the library, by whose fault they are.

    SignalreelError
    |-- TableError            ours: a machine's table leaves a cell open, or decides it twice (raised at import)
    |-- CatalogueError        ours: upcasters or logic flags contradict one another (raised at import)
    |-- OutOfOrder            the caller's: a record does not follow the one before it
    |-- InvalidRecord         the caller's: a record lacks something without which it cannot be applied
    |-- InvalidFork           the caller's: a reel cannot go another way like that
    |-- InvalidInsert         the caller's: what is to be put into a reel cannot be read
    |-- NothingInCommon       the caller's: two reels that were to be held against each other share no record
    |-- NotFailing            the caller's: records that were to be made small do not go wrong in the way that was named
    |-- InvalidPredicate      the caller's: an expression that is to be held against a reel cannot be read
    |-- Undecodable           the client's: what it sent is no command (the answer, if there is one, is on it)
    |-- ReelError             the reel's
    |   |-- ReelUnavailable   it cannot be written now; clients are told `data_store_not_available`
    |   |-- ReelBusy          another process writes it
    |   `-- ReelDamaged       what it holds cannot be read, or was made by a newer version
    `-- Divergence            replay gave another outcome than the recorded one

A refused command is no exception: it is a step with a refusal in it.
"""

__all__ = (
    "CatalogueError",
    "Divergence",
    "InvalidFork",
    "InvalidInsert",
    "InvalidPredicate",
    "InvalidRecord",
    "NotFailing",
    "NothingInCommon",
    "OutOfOrder",
    "ReelBusy",
    "ReelDamaged",
    "ReelError",
    "ReelUnavailable",
    "SignalreelError",
    "TableError",
    "Undecodable",
)


class SignalreelError(Exception):
    """Base of every exception this library raises on purpose."""


class TableError(SignalreelError):
    """A machine's table is not complete. Raised while the library is imported; a released version never does."""

    def __init__(self, kind: str, faults: list[str]) -> None:
        self.kind = kind
        self.faults = faults
        super().__init__(f"the table of the {kind} machine has {len(faults)} fault(s):\n" + "\n".join(faults))


class CatalogueError(SignalreelError):
    """Upcasters or flags leave a gap, or one is there twice. Raised at import; a released version never does."""

    def __init__(self, what: str, faults: list[str]) -> None:
        self.what = what
        self.faults = faults
        super().__init__(f"the {what} have {len(faults)} fault(s):\n" + "\n".join(faults))


class OutOfOrder(SignalreelError):
    """A record's seq or time does not follow the last one applied. Apply records in the order of the reel."""

    def __init__(self, field: str, expected: int, found: int) -> None:
        self.field = field
        self.expected = expected
        self.found = found
        super().__init__(f"the record's {field} is {found}; at least {expected} was expected")


class InvalidRecord(SignalreelError):
    """A record carries no input, or more than one, or lacks the ids its input needs. Nothing was applied."""

    def __init__(self, seq: int, why: str) -> None:
        self.seq = seq
        self.why = why
        super().__init__(f"record {seq}: {why}")


class InvalidPredicate(SignalreelError):
    """An expression cannot be read, or compares what cannot be compared. `column` says where, from 1; 0: everywhere."""

    def __init__(self, text: str, column: int, why: str) -> None:
        self.text = text
        self.column = column
        self.why = why
        place = f" at column {column}" if column else ""
        super().__init__(f"the expression cannot be used{place}: {why}")


class InvalidFork(SignalreelError):
    """A reel cannot go another way like that: a record is not there, or comes before the way parts."""


class InvalidInsert(SignalreelError):
    """What is to be put into a reel cannot be read. `place` says which line or entry."""

    def __init__(self, place: str, why: str) -> None:
        self.place = place
        self.why = why
        super().__init__(f"{place}: {why}")


class NothingInCommon(SignalreelError):
    """Two reels that were to be held against each other have no record of the same seq."""

    def __init__(self, reel: tuple[int, int], other: tuple[int, int]) -> None:
        self.reel = reel  #: the seqs of the first and the last record
        self.other = other
        have = f"this reel has {reel[0]} to {reel[1]}, the other {other[0]} to {other[1]}"
        super().__init__(f"the two have no record in common: {have}")


class NotFailing(SignalreelError):
    """What was to be made small does not go wrong: by this code, on none of its records."""

    def __init__(self, text: str, records: int) -> None:
        self.text = text
        self.records = records
        super().__init__(f"nothing to shrink: on none of the {records} records it goes wrong by this code ({text})")


class Undecodable(SignalreelError):
    """What a client sent is no command. Count it by `reason`; when `definition` is set, answer that error.

    `reason` is one of a small fixed set (see `decoding.decode_command`), fit for a metric's label.
    """

    def __init__(self, reason: str, definition: str = "", stream_id: str = "") -> None:
        self.reason = reason
        self.definition = definition
        self.stream_id = stream_id
        super().__init__(reason)


class ReelError(SignalreelError):
    """Something is wrong with a reel."""


class ReelUnavailable(ReelError):
    """The reel cannot be written now (disk full, read-only, closed). Nothing was applied; try again later."""


class ReelBusy(ReelError):
    """Another process writes this reel. Two writers would make two orders; use a cluster reel for several machines."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is being written by another process; one reel has one writer")


class ReelDamaged(ReelError):
    """The reel holds something that this version cannot read. `place` says where."""

    def __init__(self, place: str, why: str) -> None:
        self.place = place
        self.why = why
        super().__init__(f"{place}: {why}")


class Divergence(SignalreelError):
    """Replaying a record gave another outcome than the one on the reel: the logic changed, or the reel did."""

    def __init__(self, seq: int, what: str, recorded: str, computed: str, cause: str) -> None:
        self.seq = seq
        self.what = what
        self.recorded = recorded
        self.computed = computed
        self.cause = cause
        super().__init__(f"record {seq} ({cause}): {what} recorded as {recorded}, computed as {computed}")
