"""`signalreel_adapters.cli.debug.selecting`."""

from pathlib import Path

import pytest

from signalreel.debug.pseudonyms import KEY_LENGTH_MIN
from signalreel_adapters.cli.debug.selecting import ALL, KEY_BYTES_MAX, Sharing
from signalreel_adapters.cli.mistakes import Mistake
from tests.engine.world import World


def test_a_key_is_fresh_or_from_a_file(tmp_path: Path) -> None:
    """No two fresh ones are the same; a file that is no key is refused without telling what stands in it."""
    assert ALL.key() != ALL.key()
    assert len(ALL.key()) >= KEY_LENGTH_MIN
    file = tmp_path / "key"
    file.write_bytes(b"k" * KEY_LENGTH_MIN)
    assert Sharing(key_file=file).key() == b"k" * KEY_LENGTH_MIN
    for wrong in (b"secret", b"s" * (KEY_BYTES_MAX + 1)):
        file.write_bytes(wrong)
        with pytest.raises(Mistake, match="is no key") as told:
            Sharing(key_file=file).key()
        assert "secret" not in str(told.value)
    with pytest.raises(Mistake, match="cannot be read"):
        Sharing(key_file=tmp_path / "none").key()


def test_what_is_not_asked_for_is_the_whole() -> None:
    """The reel itself; an excerpt when something was named; and a sentence when nobody goes by it."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "cam")
    reel = world.reel()

    assert ALL.of(reel) == (reel, "")
    assert Sharing(stream=("cam",)).of(reel)[0].last_seq == reel.last_seq - 1
    with pytest.raises(Mistake, match="nothing on this reel goes by any of these names; `signalreel reel show FILE`"):
        Sharing(room=("cam",)).of(reel)
    with pytest.raises(Mistake, match="a session by at least 4 characters of its id"):
        Sharing(session=("ali",)).of(reel)
