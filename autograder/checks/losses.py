"""Which average of the batch losses did a loop return? Named by its number.

With batch means L_k over n_k samples (N in all, K batches, the last one short), the mean
over samples is sum(n_k L_k) / N. The other ways to combine them are as well known as they
are wrong, and the scene is drawn so that no two of them agree to within a percent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..model import Outcome
from .replay import NEVER, OBJECTIVES, Match, Recipe, Scene, losses_along, simulate

TOLERANCE = 2e-4
REDUCED_TOLERANCE = 7e-3
"""Relative; the second where logits came in 16 bits. Ways differ by 0.015 at least."""


def _wrong(losses: NDArray[np.float64], sizes: list[int]) -> list[tuple[str, float, str]]:
    """(bug, value, what it is) for each wrong way to combine batch means."""
    n = np.array(sizes[: len(losses)], dtype=float)
    total, batches = float(n.sum()), len(losses)
    mean = float(np.average(losses, weights=n))
    plain = float(losses.sum())
    return [
        ("mean_of_batch_means", plain / batches, "the mean of the batches' means"),
        ("loss_divided_twice", plain / total, "the sum of the batches' means over all samples"),
        ("loss_divided_twice", mean / total, "the mean over samples, divided by them once more"),
        ("loss_divided_twice", plain / batches / total, "the mean loss, divided by the samples"),
        ("wrong_value", plain, "the sum of the batches' means"),
        ("wrong_value", mean * total, "the sum over all samples"),
        ("wrong_value", mean * total / batches, "the sum over samples over the number of batches"),
        ("wrong_value", mean * total / (batches * sizes[0]), "as if the last batch were full"),
        ("wrong_value", float(losses[-1]), "the loss of the last batch alone"),
        ("wrong_value", float(losses[0]), "the loss of the first batch alone"),
    ]


def _paths(
    scene: Scene, match: Match, snapshots: NDArray[np.generic], training: bool
) -> list[NDArray[np.float64]]:
    """The batch means that the student's loop may have met on its way, likeliest first.

    A named trajectory is recomputed. Where nothing moved the loss may have been any of the
    known ones at the first weights. On an unknown path the weights seen at each batch serve.
    """
    if match.still:
        still = (Recipe(o, NEVER, training) for o in OBJECTIVES)
        return [simulate(scene, recipe).losses for recipe in still]
    if match.recipe is None:
        if len(snapshots) != len(scene.sizes) + 1:
            return []
        return [losses_along(scene, snapshots, training=training)]
    found = [simulate(scene, match.recipe).losses]
    if match.recipe.beats == "ragged_skipped":  # or each step came a batch late
        found.append(simulate(scene, replace(match.recipe, beats="correct")).losses)
    if match.recipe.objective == "sum":
        found.append(found[0] / np.array(scene.sizes[: len(found[0])]))
    if match.recipe.objective != "given":  # the loss reported may be the right one all the same
        end = simulate(scene, match.recipe).weights[:-1]
        if len(end) == len(scene.sizes):
            found.append(losses_along(scene, end, training=match.recipe.training))
    return found


def judge(
    value: float,
    scene: Scene,
    match: Match,
    snapshots: NDArray[np.generic],
    *,
    training: bool,
    reduced: bool,
) -> Outcome:
    """Passed where `value` is the mean over samples; else failed, with the way it was made.

    The mean over samples measured again after the epoch is accepted as well.
    """
    paths = _paths(scene, match, snapshots, training)
    if not paths:
        return Outcome.not_checked(
            "not checked: the loop takes no known path, so its losses cannot be computed"
        )
    tolerance = REDUCED_TOLERANCE if reduced else TOLERANCE
    sizes = scene.sizes

    def near(other: float) -> float:
        return abs(value - other) / max(abs(other), 1e-12)

    right = [float(np.average(p, weights=sizes[: len(p)])) for p in paths]
    if match.recipe is not None and match.recipe.objective == "sum":
        right.append(float((paths[0] * np.array(sizes[: len(paths[0])])).sum() / sum(sizes)))
        right.append(float(paths[0].sum() / sum(sizes)))
    if min(near(r) for r in right) <= tolerance:
        return Outcome.passed()
    again = np.repeat(np.asarray(snapshots)[-1:], len(sizes) + 1, axis=0)
    measured = (losses_along(scene, again, training=mode) for mode in (True, False))
    if any(near(float(np.average(m, weights=sizes))) <= tolerance for m in measured):
        return Outcome.passed("measured again after the epoch")
    wrong = [w for p in paths for w in _wrong(p, sizes)]
    bug, closest, what = min(wrong, key=lambda w: near(w[1]))
    said = f"it returned {value:.4f}, where the mean over samples is {right[0]:.4f}"
    if near(closest) <= tolerance:
        return Outcome.failed(f"{said}: that is {what}", bug)
    return Outcome.failed(said, "wrong_value")


def reference(scene: Scene, epochs: int, recipe: Recipe | None = None) -> list[float]:
    """The mean training loss over samples of each epoch along a recipe's path."""
    losses = simulate(scene, replace(recipe or Recipe()), epochs).losses
    k = len(losses) // epochs
    return [
        float(np.average(losses[e * k : (e + 1) * k], weights=scene.sizes[:k]))
        for e in range(epochs)
    ]
