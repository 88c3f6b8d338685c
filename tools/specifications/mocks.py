"""The page about what the test server does wrong when it is asked to."""

from collections.abc import Iterator

from signalreel_adapters.testserver import FAULTS, PREFIX, Fault, Value
from tools.specifications.writing import page, table_of

__all__ = ("mocks",)


def mocks() -> str:
    """Write the table of faults."""

    def rows(*, refusing: bool) -> Iterator[tuple[str, ...]]:
        for fault in FAULTS.values():
            if (fault.refusal is not None) is refusing:
                taken = () if refusing else (_taken(fault),)
                yield (f"`{fault.name}`", *taken, fault.does, fault.tests)

    body = [
        f"What `signalreel testserver` does to a client that names an id that begins with `{PREFIX}`: a stream, a",
        "peer to peer id or a room. Behind it stand one or more of these, with `|` between them. How to use it:",
        "[Test your client](../docs/how-to/test-your-client.md).",
        "",
        "## Refusals",
        "",
        "One of them at most. Commands that end something are never refused.",
        "",
        *table_of(("fault", "what happens", "what a client should do"), rows(refusing=True)),
        "## Everything else",
        "",
        *table_of(("fault", "takes", "what happens", "what it tests"), rows(refusing=False)),
        "An id that cannot be read is answered `invalidStreamName`, and `information` says what is wrong with it.",
    ]
    return page("What the test server does wrong", "the table of faults", body)


def _taken(fault: Fault) -> str:
    if fault.value is Value.NOTHING:
        return ""
    return f"{fault.value.value} (`{fault.default}`)" if fault.default else fault.value.value
