"""The automatic choice over simulated lines: down before the picture breaks, up again soon, and quiet in between."""

import itertools
import random

import pytest

from tests.adapters.media.aiortc.lines import RUNGS, WIDE, Line, World

SEEDS = range(4)
DOWN_SECONDS_MAX = 1.0
BACK_SECONDS_MAX = 10.0
BETWEEN_RAISES_MIN = 1.5  # both are `_SETTLING_UP`
BETWEEN_CHANGES_MIN = 0.6  # `_SETTLING_DOWN`
QUEUE_OF_TRIALS_MAX = 0.2


def fits(height: int, capacity: int) -> bool:
    """Whether a layer is carried at all."""
    return next(rung.bitrate for rung in RUNGS if rung.height == height) < capacity


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("capacity", [250_000, 600_000, 1_200_000])
@pytest.mark.parametrize("hold", [5.0, 12.0, 47.3])
def test_a_squeezed_viewer_steps_down_at_once_and_is_back_soon(capacity: int, hold: float, seed: int) -> None:
    """Within a second to what fits, and within ten to the best again: also after many trials have failed."""
    world = World(Line(WIDE, seed=seed), seed=seed).run(5)
    assert world.changes == []
    world.line.capacity = capacity
    world.run(hold)
    downs = [at - 1_005 for at, height in world.changes if fits(height, capacity)]
    assert downs[0] < DOWN_SECONDS_MAX
    assert all(fits(height, capacity) for _, height in world.changes)

    world.line.capacity = WIDE
    lifted = world.now
    world.run(BACK_SECONDS_MAX)

    assert world.height == 720
    assert world.changes[-1][0] - lifted < BACK_SECONDS_MAX
    assert world.run(60).changes[-1][0] - lifted < BACK_SECONDS_MAX


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("phase", [0.0, 0.05, 0.1, 0.15])
def test_a_smaller_layer_begins_when_the_queue_has_room_for_it(phase: float, seed: int) -> None:
    """Behind a queue that is full its first picture would be dropped, and nothing would be seen until another."""
    world = World(Line(WIDE, seed=seed), seed=seed).run(5 + phase)
    world.line.capacity = 250_000
    world.run(2)

    changed_at = world.changes[0][0]
    assert world.changes == [(changed_at, 180)]
    assert [at for at in world.dropped if at > changed_at] == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("capacity", "height"), [(250_000, 180), (600_000, 360), (1_200_000, 360)])
def test_trials_do_not_disturb_what_fits(capacity: int, height: int, seed: int) -> None:
    """For minutes the layer stays, the queue of a cluster stays short, and padding is a small share."""
    world = World(Line(capacity, seed=seed), seed=seed).run(8)
    assert world.height == height
    before, padding, media = len(world.changes), world.padding, world.media

    world.run(120)

    assert world.changes[before:] == []
    assert world.queue_max < QUEUE_OF_TRIALS_MAX
    assert 0 < world.padding - padding < 0.15 * (world.media - media)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1])
def test_loss_alone_changes_nothing(loss: float, seed: int) -> None:
    """A bad radio link loses whatever rate is sent."""
    assert World(Line(WIDE, loss=loss, seed=seed), seed=seed).run(60).changes == []


@pytest.mark.parametrize("seed", SEEDS)
def test_heavy_loss_is_a_line_that_drops_instead_of_queueing(seed: int) -> None:
    """Three packets of ten: less is sent."""
    assert World(Line(WIDE, loss=0.3, seed=seed), seed=seed).run(5).height == 180


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("delay", [0.05, 0.1])
def test_a_long_way_is_no_queue(delay: float, seed: int) -> None:
    """What is on its way for long is judged by what it takes at best."""
    world = World(Line(WIDE, delay=delay, seed=seed), seed=seed)
    assert world.run(20).changes == []
    world.line.capacity = 600_000
    assert world.run(20).height == 360
    world.line.capacity = WIDE
    assert world.run(BACK_SECONDS_MAX).height == 720


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_line_does_changes_keep_their_pauses(seed: int) -> None:
    """The capacity jumps between 100 kbit/s and 10 Mbit/s, after a second or after ten."""
    chance = random.Random(seed)
    world = World(Line(WIDE, seed=seed), seed=seed)
    for _ in range(25):
        world.line.capacity = int(10 ** chance.uniform(5, 7))
        world.run(chance.uniform(1, 10))
    pairs = list(itertools.pairwise([(0.0, 720), *world.changes]))

    assert len(pairs) > 5
    assert all(after[0] - before[0] >= BETWEEN_CHANGES_MIN - 1e-6 for before, after in pairs)
    raises = [after[0] - before[0] for before, after in pairs if after[1] > before[1]]
    assert min(raises) >= BETWEEN_RAISES_MIN - 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pinned_picture_is_neither_changed_nor_tried_for_more(seed: int) -> None:
    """The viewer's own choice stands, and costs it no padding."""
    world = World(Line(250_000, seed=seed), seed=seed, height=360, pinned=True).run(20)
    assert world.changes == []
    world.line.capacity = WIDE

    assert world.run(30).changes == []
    assert world.padding == 0


def test_the_best_layer_costs_no_padding() -> None:
    """There is nothing to be had by trying."""
    world = World(Line(WIDE)).run(30)

    assert (world.changes, world.padding) == ([], 0)


def test_what_was_tried_is_forgotten_with_the_viewers_own_choice() -> None:
    """But not what it said about its path."""
    world = World(Line(600_000)).run(10)
    estimate = world.choice.estimate.remb
    world.choice.restart()

    assert world.choice.estimate.remb == estimate > 0
    assert not world.choice.urgent(world.now)
