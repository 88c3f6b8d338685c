"""The automatic choice of layers: which picture gives way, which one is given to, and how soon again."""

import itertools

from signalreel_adapters.media.aiortc.quality import Chooser, Picture, Rung

RUNGS = (Rung(180, 100), Rung(360, 400), Rung(720, 1_500))
SOUND = 32


class Viewer:
    """A viewer of some pictures."""

    def __init__(self, *heights: int, pinned: bool = False) -> None:
        self.chooser = Chooser()
        self.heights = dict(enumerate(heights))
        self.pinned = pinned
        self.now = 100.0

    @property
    def pictures(self) -> dict[int, Picture]:
        """What is sent."""
        nominal = {rung.height: rung.bitrate for rung in RUNGS}
        return {key: Picture(RUNGS, height, nominal[height], self.pinned) for key, height in self.heights.items()}

    def squeeze(self, arrives: int, *, after: float = 1.0) -> tuple[int, int] | None:
        """Let only so much get through."""
        self.now += after
        return self._changed(self.chooser.lower(self.pictures, arrives, SOUND, self.now))

    def offer(self, room: int, *, after: float = 1.0, blind: bool = False) -> tuple[int, int] | None:
        """Let there be so much room."""
        self.now += after
        return self._changed(self.chooser.higher(self.pictures, room, SOUND, self.now, blind=blind))

    def _changed(self, change: tuple[int, int] | None) -> tuple[int, int] | None:
        if change is not None:
            self.heights[change[0]] = change[1]
        return change

    def offer_until_taken(self, room: int, *, blind: bool = False) -> float:
        """Give after how many seconds the room is taken."""
        since = self.now
        while self.offer(room, after=0.1, blind=blind) is None:
            assert self.now - since < 100
        return self.now - since


def test_the_layer_that_fits_leaves_room_for_the_queue_to_drain() -> None:
    """In one step, past those that do not."""
    assert Viewer(720).squeeze(560) == (0, 360)
    assert Viewer(720).squeeze(500) == (0, 180)


def test_with_room_for_none_the_smallest_is_sent() -> None:
    """A viewer always gets a picture."""
    viewer = Viewer(720)
    assert viewer.squeeze(50) == (0, 180)
    assert viewer.squeeze(50) is None


def test_the_greediest_picture_gives_way_first_and_one_at_a_time() -> None:
    """What follows waits until something can have been heard about the change."""
    viewer = Viewer(720, 360)

    assert viewer.squeeze(1_100) == (0, 360)
    assert viewer.squeeze(600, after=0.5) is None
    assert viewer.squeeze(700, after=0.2) == (0, 180)


def test_room_that_is_known_is_used_at_once_and_in_one_step() -> None:
    """Once the last change has settled."""
    viewer = Viewer(720)
    viewer.squeeze(50)

    assert viewer.offer(2_000, after=1.4) is None
    assert viewer.offer(2_000, after=0.2) == (0, 720)


def test_room_for_a_better_layer_that_is_not_the_best_is_used_too() -> None:
    """And room for none is not."""
    viewer = Viewer(180)
    assert viewer.offer(400) is None
    assert viewer.offer(460) == (0, 360)


def test_a_layer_that_was_taken_away_soon_is_given_again_after_a_longer_pause() -> None:
    """However certain the room seems; but never later than a lifted cap is to be noticed."""
    viewer = Viewer(720)
    viewer.squeeze(50)
    pauses: list[float] = []
    for _ in range(4):
        pauses.append(viewer.offer_until_taken(2_000) // 0.5 / 2)
        viewer.squeeze(50)

    assert pauses == [1.5, 4.0, 8.0, 8.0]


def test_without_knowing_the_room_one_layer_is_tried_after_a_pause_that_doubles() -> None:
    """A trial that fails costs the viewer something."""
    viewer = Viewer(720)
    viewer.squeeze(50)
    pauses: list[float] = []
    for _ in range(6):
        pauses.append(viewer.offer_until_taken(0, blind=True))
        assert viewer.heights[0] == 360
        viewer.squeeze(50)

    assert [round(pause) for pause in pauses] == [4, 4, 8, 16, 32, 60]


def test_a_layer_that_has_stayed_is_no_failure() -> None:
    """The next squeeze has nothing to do with it."""
    viewer = Viewer(180)
    viewer.offer(2_000)
    viewer.squeeze(50, after=11.0)

    assert viewer.offer(2_000, after=1.6) == (0, 720)


def test_the_poorest_picture_is_given_to_first() -> None:
    """Room is shared: two small pictures are raised in turn."""
    viewer = Viewer(180, 360)

    assert viewer.offer(1_000) == (0, 360)
    assert viewer.chooser.wish(viewer.pictures, SOUND) == int(1.05 * (SOUND + 400 + 1_500))


def test_what_is_wished_for_is_the_best() -> None:
    """All of what it needs; and nothing where all have it."""
    viewer = Viewer(180)
    assert viewer.chooser.wish(viewer.pictures, SOUND) == int(1.05 * (SOUND + 1_500))
    viewer.heights[0] = 720
    assert viewer.chooser.wish(viewer.pictures, SOUND) == 0


def test_a_pinned_picture_is_left_alone() -> None:
    """The viewer's own choice stands."""
    viewer = Viewer(360, pinned=True)

    assert viewer.squeeze(50) is None
    assert viewer.offer(1_000_000) is None
    assert viewer.chooser.wish(viewer.pictures, SOUND) == 0


def test_whatever_is_said_a_choice_is_one_of_the_rungs_and_changes_keep_their_pauses() -> None:
    """Every second something else is said, for as long as it takes to say all of it."""
    viewer = Viewer(720)
    changed: list[float] = []
    for arrives, room in itertools.product((1, 300, 600, 2_000), repeat=2):
        for change in (viewer.squeeze(arrives, after=0.3), viewer.offer(room, after=0.3)):
            if change is not None:
                changed.append(viewer.now)
                assert change[1] in {rung.height for rung in RUNGS}

    assert len(changed) > 3
    assert all(after - before >= 0.6 - 1e-6 for before, after in itertools.pairwise(changed))
