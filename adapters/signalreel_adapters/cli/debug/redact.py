"""`signalreel redact REEL -o OUT`: a reel that can be shown to anybody."""

from pathlib import Path

import msgspec

from signalreel.debug.redact import Redactor
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.debug.selecting import ALL, Output, Sharing
from signalreel_adapters.reels.copying import write_reel

__all__ = ("RedactedReel", "redact_reel")


class RedactedReel(msgspec.Struct):
    """What `signalreel redact --json` prints."""

    records: int
    of: int  #: how many the reel has
    widened: str  #: `app` or `reel` when more than was asked for had to be kept
    differences: int  #: records that do not cause the same as in the reel
    differing: tuple[int, ...]  #: the first of them


def redact_reel(
    file: Path,
    /,
    *,
    output: Output,
    sharing: Sharing = ALL,
    json: Switch = False,
) -> int:
    """Write a reel in which nobody can be found: names, addresses, descriptions, identities are replaced.

    It replays to the same transitions as the reel, which is checked record by record before anything is written. Leaves
    with 0 when that is so, 1 when some records cause something else, 2 when a file cannot be used.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    output
        The file to write, which must not be there yet.
    json
        Print one JSON object: records, of, widened, differences and differing.
    """
    whole = open_reel(file)
    reel, widened = sharing.of(whole)
    made = Redactor(sharing.key(), [reel], keep_names=sharing.keep_names).redacted(reel)
    write_reel(output, made.reel)
    records = made.reel.last_seq - made.reel.first_seq + 1
    of = whole.last_seq - whole.first_seq + 1
    if json:
        print_json(RedactedReel(records, of, widened, made.differences, made.differing))
    else:
        print(f"{output}: {records} of {of} records")
        if widened:
            print(f"more is kept, because less would have gone otherwise: the whole {widened}")
        if made.differences:
            seqs = ", ".join(map(str, made.differing))
            print(f"{made.differences} of them do not cause the same as in the reel; the first: {seqs}")
        else:
            print("each of them causes the same transitions as in the reel")
    return 1 if made.differences else 0
