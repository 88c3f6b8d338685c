"""The automatic choice of layers: what it follows, and how slowly."""

import itertools

import pytest

from signalreel_adapters.media.aiortc.quality import Chooser, Picture, Rung

RUNGS = (Rung(180, 100), Rung(360, 400), Rung(720, 1_500))


class Viewer:
    """A viewer of some pictures, whose looks are a second apart."""

    def __init__(self, *heights: int, pinned: bool = False) -> None:
        self.chooser = Chooser()
        self.heights = dict(enumerate(heights))
        self.pinned = pinned
        self.now = 100.0
        self.chooser.look({}, 1, 0, self.now - 3)  # from now on it is believed

    def look(self, estimate: int, *, times: int = 1) -> list[tuple[int, int]]:
        """Look so often, and give the changes."""
        changes: list[tuple[int, int]] = []
        for _ in range(times):
            self.now += 1
            pictures = {
                key: Picture(RUNGS, height, next(rung.bitrate for rung in RUNGS if rung.height == height), self.pinned)
                for key, height in self.heights.items()
            }
            change = self.chooser.look(pictures, estimate, 32, self.now)
            if change is not None:
                changes.append(change)
                self.heights[change[0]] = change[1]
        return changes


def test_the_best_layer_stays_while_there_is_room() -> None:
    """An estimate above what is sent changes nothing."""
    assert Viewer(720).look(1_600, times=100) == []


def test_a_first_estimate_is_not_believed() -> None:
    """Browsers begin low; nothing is taken away before that has passed."""
    chooser = Chooser()
    picture = {0: Picture(RUNGS, 720, 1_500)}

    assert [chooser.look(picture, 300, 32, at) for at in (1.0, 2.0, 3.0)] == [None] * 3


def test_one_short_look_is_a_burst_and_two_take_the_best_layer_that_fits() -> None:
    """Down to what the estimate has room for, in one step."""
    viewer = Viewer(720)
    assert viewer.look(500) == []
    assert viewer.look(2_000) == []
    assert viewer.look(500, times=2) == [(0, 360)]


def test_with_room_for_none_the_smallest_is_sent() -> None:
    """A viewer always gets a picture."""
    assert Viewer(720).look(50, times=20) == [(0, 180)]


def test_the_greediest_picture_gives_way_first_and_one_at_a_time() -> None:
    """What follows waits until the estimate has had time to follow."""
    viewer = Viewer(720, 360)

    assert viewer.look(900, times=2) == [(0, 360)]
    assert viewer.look(700, times=1) == []
    assert viewer.look(700, times=3) == [(0, 180)]


def test_a_better_layer_is_tried_after_a_pause_that_grows_with_every_failure() -> None:
    """The estimate grows only to one and a half times what is sent, and never says that more would fit."""
    viewer = Viewer(720)
    viewer.look(500, times=2)
    raised: list[float] = []
    while len(raised) < 6:
        # The path carries 500: it is short whenever more is sent, and says little more than what is sent otherwise.
        estimate = 500 if viewer.heights[0] == 720 else 600
        if viewer.look(estimate) == [(0, 720)]:
            raised.append(viewer.now)
    pauses = [after - before for before, after in itertools.pairwise(raised)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 20
    assert 60 <= pauses[-1] <= 70


def test_ample_room_needs_no_trial() -> None:
    """An estimate that has room for the next layer is taken at its word."""
    viewer = Viewer(720)
    viewer.look(500, times=2)

    assert viewer.look(2_000, times=3) == [(0, 720)]


def test_the_poorest_picture_is_raised_first() -> None:
    """Room is shared: two small pictures are raised in turn."""
    viewer = Viewer(180, 360)

    assert viewer.look(1_000_000, times=2) == [(0, 360)]


@pytest.mark.parametrize("estimate", [0, 50])
def test_a_pinned_picture_and_an_unknown_estimate_change_nothing(estimate: int) -> None:
    """The viewer's own choice stands; without an estimate there is nothing to follow."""
    assert Viewer(720, pinned=bool(estimate)).look(estimate, times=20) == []


def test_a_picture_of_one_layer_stays_what_it_is() -> None:
    """There is nothing to choose from."""
    chooser = Chooser()
    picture = {0: Picture(RUNGS[2:], 720, 1_500)}

    assert {chooser.look(picture, 50, 32, float(at)) for at in range(50)} == {None}
