"""`signalreel_adapters.ports`: the values that cross the ports."""

import pytest

from signalreel.record import Grant
from signalreel.reel import MemoryReel
from signalreel.refusals import ACCESS_REFUSALS
from signalreel_adapters.ports import DurableReel, TransportClosed, Verdict
from signalreel_adapters.testing import FailingReel


class TestVerdict:
    """What a gate decides with."""

    def test_has_no_truth_value(self) -> None:
        """`if verdict:` raises, so that a gate's caller cannot let anybody in by mistake."""
        with pytest.raises(TypeError, match="no truth value"):
            bool(Verdict.allow())

    def test_allows_for_an_identity(self) -> None:
        """An allowing verdict carries the keyed tag of whoever it allows."""
        assert Verdict.allow("tag").grant == Grant(allowed=True, identity="tag")

    def test_allows_by_something_that_is_good_for_one_use(self) -> None:
        """It then carries the tag that the engine marks, and until when."""
        assert Verdict.allow("tag", once="use", until=9).grant == Grant(
            allowed=True, identity="tag", once="use", until=9
        )

    @pytest.mark.parametrize(
        ("first", "then", "rooms"),
        [
            (None, None, None),
            (None, ("r",), ("r",)),
            (("r", ""), None, ("r", "")),
            (("r", "", "q"), ("q", "r"), ("r", "q")),
        ],
    )
    def test_is_good_for_what_all_say(
        self, first: tuple[str, ...] | None, then: tuple[str, ...] | None, rooms: tuple[str, ...] | None
    ) -> None:
        """Rooms can only become fewer."""
        assert Verdict.allow("tag", rooms=first).within(then).grant == Grant(allowed=True, identity="tag", rooms=rooms)

    def test_is_good_for_nothing_when_no_room_is_left(self) -> None:
        """That refuses; what refuses already keeps its reason."""
        assert Verdict.allow(rooms=("r",)).within(("q",)).grant == Grant(allowed=False)
        assert Verdict.refuse("user_blocked").within(("q",)).grant.refusal == "user_blocked"

    @pytest.mark.parametrize("definition", [refusal.definition for refusal in ACCESS_REFUSALS])
    def test_refuses_with_what_a_gate_may_say(self, definition: str) -> None:
        """A refusing verdict carries the definition that the client gets."""
        assert Verdict.refuse(definition).grant == Grant(allowed=False, refusal=definition)

    def test_refuses_with_nothing_else(self) -> None:
        """A definition that is not the gate's to use is the gate's bug."""
        with pytest.raises(ValueError, match="streamIdInUse"):
            Verdict.refuse("streamIdInUse")


class TestTransportClosed:
    """The end of a transport."""

    def test_tells_the_code_and_not_the_reason(self) -> None:
        """The message holds the code only: the reason is the other end's text, and messages reach logs."""
        assert str(TransportClosed(1001, "secret")) == "the transport ended with 1001"


class TestDurableReel:
    """Which reels can be committed."""

    def test_is_told_by_its_commit(self) -> None:
        """A reel with `commit` is durable, one without is not."""
        assert isinstance(FailingReel(), DurableReel)
        assert not isinstance(MemoryReel(), DurableReel)
