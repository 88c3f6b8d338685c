"""What `signalreel simulate` is told."""

import pytest

from signalreel.simulation.swarm import Draw
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.cli.simulation.arguments import SEED_MAX, draw_of, jobs_of, seeds_of


def test_seeds_are_a_range_or_one() -> None:
    """Both ends are in it."""
    assert seeds_of("0..999") == range(1_000)
    assert seeds_of("7..7") == seeds_of("7") == range(7, 8)
    assert seeds_of(f"{SEED_MAX}") == range(SEED_MAX, SEED_MAX + 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "takes two numbers"),
        ("a..b", "takes two numbers"),
        ("1..", "takes two numbers"),
        ("..9", "takes two numbers"),
        ("-1..4", "takes two numbers"),
        ("1...4", "takes two numbers"),
        ("٣", "takes two numbers"),
        ("9" * 30, "takes two numbers"),
        ("9..1", "the last one comes before the first"),
        (f"{SEED_MAX + 1}", "the largest seed"),
        ("0..10000000", "is the most for one call"),
    ],
)
def test_what_is_no_range_of_seeds_is_said(text: str, said: str) -> None:
    """In a sentence that says what would be one."""
    with pytest.raises(Mistake, match=said):
        seeds_of(text)


def test_plans_are_drawn_as_it_is_said() -> None:
    """With names of faults as people write them."""
    assert draw_of(4, 60, None) == Draw()
    assert draw_of(4, 60, "none").faults == ()
    assert draw_of(4, 60, "crash, full disk,crash").faults == ("crash", "full disk")
    assert draw_of(9, 5, None, safety_only=True) == Draw(9, 5, safety_only=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 60, None), "--clients takes"),
        ((65, 60, None), "--clients takes"),
        ((4, 0, None), "--seconds takes"),
        ((4, 3_601, None), "--seconds takes"),
        ((4, 20, None), "--safety-only"),
        ((4, 60, "crsh"), "did you mean 'crash'"),
        ((4, 60, ""), "there is no fault ''"),
    ],
)
def test_what_no_plan_is_drawn_with_is_said(arguments: tuple[int, int, str | None], said: str) -> None:
    """Likewise."""
    with pytest.raises(Mistake, match=said):
        draw_of(*arguments)


def test_jobs_have_a_limit() -> None:
    """Nobody means a million processes."""
    assert jobs_of(8) == 8
    for jobs in (0, -1, 257):
        with pytest.raises(Mistake, match="--jobs takes"):
            jobs_of(jobs)
