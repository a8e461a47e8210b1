"""Tolerance bounds: the published tables, a simulation, and what they mean for a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.checks.accuracy import (
    CHANCE,
    CONFIDENCE,
    MARGIN,
    SHARE_ABOVE,
    from_accuracies,
    luck,
)
from autograder.checks.tolerance import tolerance_factor

PUBLISHED = {
    (2, 0.90): 20.581,
    (2, 0.99): 37.094,
    (3, 0.99): 10.553,
    (5, 0.99): 5.741,
    (10, 0.90): 2.355,
    (10, 0.99): 3.981,
    (30, 0.99): 3.064,
    (50, 0.99): 2.862,
}
"""One-sided factors at a confidence of 95 %, by sample size and share (the tables of G. J. Hahn and
W. Q. Meeker, Statistical Intervals, 1991)."""


@pytest.mark.parametrize(("n", "share"), PUBLISHED)
def test_the_factors_are_those_of_the_tables(n: int, share: float) -> None:
    assert tolerance_factor(n, share, 0.95) == pytest.approx(PUBLISHED[n, share], abs=1e-3)


def test_a_large_sample_has_the_factor_of_the_normal_quantile() -> None:
    assert 3.0902 < tolerance_factor(100_000, 0.999, 0.95) < 3.11


@pytest.mark.parametrize(("n", "share", "confidence"), [(4, 0.9, 0.8), (12, 0.99, 0.99)])
def test_the_bound_holds_as_often_as_it_says(n: int, share: float, confidence: float) -> None:
    a = np.random.default_rng(5).normal(size=(40_000, n))
    bounds = a.mean(1) - tolerance_factor(n, share, confidence) * a.std(1, ddof=1)
    quantile = {0.9: -1.28155, 0.99: -2.32635}[share]
    assert (bounds <= quantile).mean() == pytest.approx(confidence, abs=0.008)


@pytest.mark.parametrize("wrong", [(1, 0.9, 0.9), (5, 1.0, 0.9), (5, 0.9, 0.0)])
def test_what_has_no_bound_is_refused(wrong: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="no tolerance bound"):
        tolerance_factor(*wrong)


def test_a_threshold_lies_a_margin_and_the_luck_below_the_mean() -> None:
    a = [0.80, 0.82, 0.84]
    k = tolerance_factor(3, SHARE_ABOVE, CONFIDENCE)
    found = from_accuracies(a)
    assert luck(a) == pytest.approx(k * 0.02)
    assert found.threshold == pytest.approx(0.82 - MARGIN - k * 0.02, abs=1e-4)
    assert found.floor == pytest.approx(CHANCE + (found.threshold - CHANCE) / 2, abs=1e-4)
    assert from_accuracies([0.8]).threshold == from_accuracies([0.8, 0.8]).threshold == 0.75


def test_what_is_written_down_gives_the_same_threshold() -> None:
    a = np.random.default_rng(3).normal(0.9, 0.02, 20).clip(0, 1).tolist()
    found = from_accuracies(a)
    assert from_accuracies(found.accuracies) == found


def test_more_runs_give_a_higher_threshold() -> None:
    some = [from_accuracies([0.88, 0.9, 0.92] * n).threshold for n in (1, 2, 4, 10)]
    assert some == sorted(some) and some[0] < some[-1] - 0.03


def test_a_correct_program_hardly_ever_falls_below_its_threshold() -> None:
    """Of programs that lie the whole margin below the reference, with its spread."""
    rng = np.random.default_rng(11)
    missed = []
    for _ in range(300):
        bar = from_accuracies(list(rng.normal(0.85, 0.02, 30).clip(0, 1))).threshold
        missed.append((rng.normal(0.85 - MARGIN, 0.02, 4000) < bar).mean())
    assert np.mean(np.array(missed) <= 1 - SHARE_ABOVE) >= CONFIDENCE - 0.05
    assert np.mean(missed) < 1 - SHARE_ABOVE


@pytest.mark.parametrize("wrong", [[], [1.2], [-0.1], [float("nan")]])
def test_what_is_no_accuracy_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        from_accuracies(wrong)
