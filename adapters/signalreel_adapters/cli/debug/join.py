"""`signalreel join REEL DUMP`: a reel beside what a browser says of the same call, and where they first disagree."""

from pathlib import Path

import msgspec

from signalreel.debug.dumps import DUMP_BYTES_MAX, Connection, DumpUnreadable, read_dump
from signalreel.debug.join import Joined, join
from signalreel.debug.telling import printable, short_session
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("JoinedAll", "join_dump")

_US_PER_MS = 1_000


class JoinedAll(msgspec.Struct):
    """What `signalreel join --json` prints."""

    connections: tuple[Joined, ...]
    disagreements: int


def join_dump(file: Path, dump: Path, /, *, json: Switch = False) -> int:
    """Hold a reel against a browser's dump of its connections, and say where the two first disagree.

    Leaves with 0 when they agree as far as both go, 1 when they do not, 2 when a file cannot be used. Descriptions and
    candidates are compared, and never printed.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    dump
        What chrome://webrtc-internals gives to save, packed or not, or what rtcstats wrote, one JSON array a line.
    json
        Print one JSON object: connections, each with its session, clocks, lines and disagreement; and disagreements.
    """
    connections = _read(dump)
    found = join(open_reel(file), connections)
    disagreements = sum(one.disagreement is not None for one in found)
    if json:
        print_json(JoinedAll(found, disagreements))
    else:
        for one in found:
            _print(one)
    return 1 if disagreements else 0


def _read(dump: Path) -> tuple[Connection, ...]:
    try:
        with dump.open("rb") as opened:
            return read_dump(opened.read(DUMP_BYTES_MAX + 1))
    except OSError as error:
        raise Mistake(f"{dump} cannot be read: {error.strerror}") from error
    except DumpUnreadable as error:
        raise Mistake(f"{dump}: {error}") from None


def _print(one: Joined) -> None:
    if not one.session:
        print(f"connection {one.connection}: no record of this reel is about it\n")
        return
    whose = f"session {short_session(one.session)}, stream {printable(one.stream_id)}"
    print(f"connection {one.connection}: {whose}")
    if one.clocks is None:
        print("  the dump has no times that could be compared; its events stand where the call begins")
    else:
        ahead, sure = one.clocks.offset / _US_PER_MS, one.clocks.sure_within / _US_PER_MS
        by = f"by {one.clocks.compared} messages"
        print(f"  the browser's clock is {ahead:+.1f} ms ahead, within {sure:.1f} ms, {by}")
    for line in one.lines:
        print(f"  {line.time / 1_000_000:>12.6f}  {line.side:<8} {line.seq or '':>6}  {line.told}")
    print(f"  {one.disagreement.told if one.disagreement is not None else 'they agree, as far as both go'}\n")
