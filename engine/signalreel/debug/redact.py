"""A reel that can be shown to anybody: the same calls, without what says whose they are.

    shared = redact(reel, key)

Every text of every record is replaced, equal by equal, unless it is a word of the protocol (`words` has the list).
Descriptions and candidates keep what media needs of them. Times, numbers and what the server decided stay, so the
redacted reel replays to the same transitions, with the names replaced; `redacted` holds every record against that and
counts those of which it is not so.

What the reel recorded is kept where today's code gives something else: whoever gets the redacted reel finds the same
records to differ. Of a chain of digests, what cannot be computed again is replaced, because it was made of the texts.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.pseudonyms import Pseudonyms
from signalreel.debug.seams import redacted_seam, texts_of_seam
from signalreel.debug.walk import Place, walked
from signalreel.debug.words import STATES
from signalreel.engine import STATE_DIGEST_EVERY
from signalreel.header import Header
from signalreel.identifiers import is_valid_name
from signalreel.record import encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor, Replayed, decode_entry, engine_at_start
from signalreel.step import DIGEST_SIZE, Outcome, Step, outcome_of

__all__ = ("DIFFERING_MAX", "Redacted", "Redactor", "redact")

DIFFERING_MAX: Final = 16
"""Records that do not cause the same which are named; the others are counted."""

_Value = TypeVar("_Value")


class Redacted(Struct, frozen=True):
    """A redacted reel, and how true it is to the one that it was made of."""

    reel: MemoryReel
    differences: int = 0  #: records that do not cause the same; none, unless a name was made to look like another
    differing: tuple[int, ...] = ()  #: the seqs of the first of them


def redact(reel: Reel, key: bytes, *, keep_names: bool = False) -> MemoryReel:
    """Give a redacted reel. Raises `ReelDamaged` when the reel cannot be read to its end.

    The same key gives the same tags in the pseudonyms of several reels; without it nobody can tell what stood there.
    With `keep_names`, the names of streams and rooms stay.
    """
    return Redactor(key, [reel], keep_names=keep_names).redacted(reel).reel


class Redactor:
    """Redacts reels that are shared together: what is equal in two of them stays equal."""

    def __init__(self, key: bytes, reels: Iterable[Reel], *, keep_names: bool = False) -> None:
        texts: set[str] = set()
        names: set[str] = set()

        def learn(text: str, place: Place) -> str:
            if place.names:
                names.add(text.rpartition("/")[2])
            if place.exempt is None or (place.exempt.rewrite is None and not place.exempt.stays(text)):
                texts.add(text)
            return text

        for reel in reels:
            walked(reel.header, learn)
            if reel.seam is not None:
                texts_of_seam(reel.seam, lambda value: walked(value, learn))
            for note in reel.notes(reel.first_seq):
                walked(note, learn)
            for entry in reel.entries(reel.first_seq):
                walked(decode_entry(entry), learn)
                if entry.outcome is not None:
                    texts.update(text for move in entry.outcome.transitions for text in move if text not in STATES)
        self._pseudonyms = Pseudonyms(key, filter(is_valid_name, names) if keep_names else ())
        for text in texts:
            self._pseudonyms.learn(text)

    def redacted(self, reel: Reel) -> Redacted:
        """Redact one of the reels."""
        seam = redacted_seam(reel.seam, self.value, self.name, self._digest) if reel.seam is not None else None
        made = MemoryReel(self._header(reel.header), seam=seam, first_seq=reel.first_seq)
        every = _digests_every(reel)
        engine = engine_at_start(made, state_digest_every=every)
        differing: list[int] = []
        differences = 0
        for replayed in Cursor(reel, state_digest_every=every):
            record = self.value(replayed.step.record)
            step = engine.apply(record)
            made.append(record.seq, encode_record(record))
            if replayed.recorded is not None:
                made.conclude(record.seq, self._outcome(replayed, replayed.recorded, step))
            if not self._causes_the_same(replayed.step, step):
                differences += 1
                if len(differing) < DIFFERING_MAX:
                    differing.append(record.seq)
        for note in reel.notes(reel.first_seq):
            made.note(self.value(note))
        return Redacted(made, differences, tuple(differing))

    def value(self, value: _Value) -> _Value:
        """Redact anything that is made of texts: a record, a step's transitions, a note."""
        return walked(value, self._replaced)

    def name(self, text: str) -> str:
        """Give the pseudonym of a name, or of the two of which the id of a playback is made."""
        return self._pseudonyms.of(text)

    def _header(self, header: Header) -> Header:
        """Redact a header; the bytes in it are digests of what is not shared."""
        redacted = replace(self.value(header), seed=None)  # Whoever has the seed could draw the ids again.
        parent = redacted.parent
        if parent is None:
            return redacted
        chain, digest = self._digest(parent.chain), self._digest(parent.digest)
        return replace(redacted, parent=replace(parent, chain=chain, digest=digest))

    def _replaced(self, text: str, place: Place) -> str:
        exempt = place.exempt
        if exempt is None:
            return self._pseudonyms.of(text)
        if exempt.stays(text):
            return text
        return self._pseudonyms.of(text) if exempt.rewrite is None else exempt.rewrite(text, self._pseudonyms)

    def _outcome(self, replayed: Replayed, recorded: Outcome, step: Step) -> Outcome:
        """Give what stands beside the redacted record: what it causes, or what was recorded where that is another."""
        then, now = outcome_of(replayed.step), outcome_of(step)
        if recorded == then:
            return now
        moves = [
            (self._word(kind), self.name(app), self.name(id), self._word(source), self._word(target))
            for kind, app, id, source, target in recorded.transitions
        ]
        return Outcome(
            now.digest if recorded.digest == then.digest else self._digest(recorded.digest),
            now.transitions if recorded.transitions == then.transitions else moves,
            now.state_digest if recorded.state_digest == then.state_digest else self._digest(recorded.state_digest),
        )

    def _word(self, text: str) -> str:
        return text if text in STATES else self.name(text)

    def _digest(self, digest: bytes) -> bytes:
        return self._pseudonyms.digest("digest", digest.hex(), DIGEST_SIZE) if digest else b""

    def _causes_the_same(self, original: Step, step: Step) -> bool:
        return (
            step.refused == original.refused
            and step.transitions == self.value(original.transitions)
            and step.deadline == self.value(original.deadline)
            and step.fired == [(self.name(id), row) for id, row in original.fired]
        )


def _digests_every(reel: Reel) -> int:
    """How often the reel has a digest of the whole state: with every record in tests."""
    first = next(reel.entries(reel.first_seq), None)
    has_digest = first is not None and first.outcome is not None and first.outcome.state_digest
    return 1 if has_digest else STATE_DIGEST_EVERY
