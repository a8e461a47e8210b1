"""Judges of `evaluate()` in a program of globals: its number, its mode, its graphs.

The number is that of a watched network on secret images, bound to the globals. Mode and graphs
are judged by the program's own run, because they may be set around the call as well as in it; only
where the program made no evaluation of its own, a bound call decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from ..model import Array, Evidence, Outcome, ProbeRequest
from .base import Context, Inconclusive, StandardCheck, field_of, require
from .program import calls, modes_request, second_opinion, twice
from .reading import scene
from .replay import Floats, Scene, forward

BATCH, IMAGES = 8, 51


def _bound(ctx: Context, *, training: bool, deep: bool) -> ProbeRequest:
    """A bound call of `evaluate` on the watched net, left in training mode or not."""
    args = {"batch": BATCH, "seed": ctx.seed, "training": training}
    args |= {"deep": True} if deep else {}
    seed = int(ctx.rng("evaluation").integers(2**62))
    return ProbeRequest("globals_loop:evaluation", args, _evaluation(scene(ctx), seed))


def _logits(made: Scene, images: Floats) -> Floats:
    """The watched network's answers in evaluation mode, (N, 10) float64."""
    weights = [torch.from_numpy(w.astype(np.float64)) for w in made.weights]
    mask = torch.from_numpy(made.mask.astype(np.float64))
    return forward(weights, mask, torch.from_numpy(images), training=False).numpy()


@lru_cache(maxsize=64)
def _evaluation(made: Scene, seed: int) -> Mapping[str, Array]:
    """Tensors of an evaluation: clear margins, and a short last batch that is all wrong.

    51 images by 8: the first six batches get about 60 % right, the last one nothing, so
    that the mean of batch accuracies, and any other divisor, is another number.
    """
    rng = np.random.default_rng(seed)
    pool = rng.random((600, 1, 28, 28)) * (rng.random((600, 1, 28, 28)) < 0.2) * 0.02
    pool = pool.astype(np.float32)
    logits = _logits(made, pool.astype(np.float64))
    ranked = np.sort(logits, axis=1)
    clear = np.argsort(ranked[:, -2] - ranked[:, -1], kind="stable")[:IMAGES]
    guess, labels = logits[clear].argmax(1), rng.integers(0, 10, IMAGES)
    right = rng.random(IMAGES) < 0.6
    right[:3], right[-(IMAGES % BATCH) :] = True, False
    labels = np.where(right, guess, np.where(labels == guess, (labels + 1) % 10, labels))
    return {**made.tensors(), "images": pool[clear], "labels": labels.astype(np.int64)}


def _right(ctx: Context) -> tuple[list[int], int]:
    """How many images of each batch the watched net gets right, in evaluation mode; of how many."""
    tensors = _bound(ctx, training=False, deep=False).tensors
    guess = _logits(scene(ctx), np.asarray(tensors["images"], dtype=np.float64)).argmax(1)
    hits = guess == tensors["labels"]
    return [int(hits[i : i + BATCH].sum()) for i in range(0, IMAGES, BATCH)], IMAGES


def _accuracy(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    main = require(evidence["main"])
    if "f" not in field_of(main, "beats", str):
        return Outcome.failed("evaluate never called the global 'model' on test_loader's images")
    value = field_of(main, "returned", dict).get("value")
    if not isinstance(value, (int, float)):
        kind = str(main.data["returned"].get("kind", "nothing"))[:80]
        return Outcome.failed(f"evaluate returned {kind}, not a finite number", "wrong_accuracy")
    hits, n = _right(ctx)
    true = sum(hits) / n
    if abs(value - true) <= 1e-4:
        return Outcome.passed()
    sizes = [BATCH] * (n // BATCH) + [n % BATCH]
    mean = float(np.mean([h / s for h, s in zip(hits, sizes, strict=True)]))
    ways = {
        "the accuracy in percent": 100 * true,
        "the number of right answers": float(sum(hits)),
        "the mean of the batches' accuracies": mean,
        "the right answers over the number of batches": sum(hits) / len(hits),
        "the right answers as if every batch were full": sum(hits) / (BATCH * len(hits)),
        "the accuracy of the last batch": hits[-1] / sizes[-1],
        "the share of wrong answers": 1 - true,
    }
    near = next((name for name, other in ways.items() if abs(value - other) <= 1e-4), None)
    told = f"{sum(hits)} of {n} answers were right ({true:.4f}); evaluate returned {value:.4f}"
    return Outcome.failed(told + (f", which is {near}" if near else ""), "wrong_accuracy")


def _eval_mode(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    told = _evaluations(evidence)
    bad = [k for k, (forwards, train, _) in enumerate(told) if train]
    if bad:
        return Outcome.failed(
            f"in evaluation {bad[0] + 1} the model was still in training mode", "missing_eval_mode"
        )
    return Outcome.passed()


def _no_grad(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    told = _evaluations(evidence)
    bad = [k for k, (_, _, graphs) in enumerate(told) if graphs]
    if bad:
        return Outcome.failed(
            f"in evaluation {bad[0] + 1} every forward call built a graph for a backward pass that "
            f"never comes",
            "missing_no_grad",
        )
    return Outcome.passed()


def _evaluations(evidence: Mapping[str, Evidence]) -> list[tuple[int, int, int]]:
    """(forward calls, in training mode, with a graph) of each evaluation of the program's own run,
    or, where it made none, of one on a model left in training mode.
    """
    own = calls(evidence["main"], "evaluate")
    if own:
        return [(c["forwards"], c["training"], c["graphs"]) for c in own]
    forwards = [
        f for f in field_of(require(evidence["after"]), "forwards", list) if isinstance(f, dict)
    ]
    if not forwards:
        raise Inconclusive(Outcome.failed("evaluate never called the global 'model'"))
    train = sum(f.get("training") is not False for f in forwards)
    return [(len(forwards), train, sum(f.get("graph") is not False for f in forwards))]


def _evaluation_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return twice(
        lambda deep: {"main": modes_request(), "after": _bound(ctx, training=True, deep=deep)}
    )


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "program_accuracy",
        lambda ctx: twice(lambda deep: {"main": _bound(ctx, training=False, deep=deep)}),
        second_opinion(_accuracy),
        "Accuracy is the number of right answers over the number of images. Batches may differ in "
        "size, so count images, not batches.",
        ("wrong_accuracy", "missing_name"),
    ),
    StandardCheck(
        "program_eval_mode",
        _evaluation_requests,
        second_opinion(_eval_mode, "after"),
        "In evaluation mode dropout is off and batch norm uses what it learnt.",
        ("missing_eval_mode",),
    ),
    StandardCheck(
        "program_no_grad",
        _evaluation_requests,
        second_opinion(_no_grad, "after"),
        "Nothing is learnt from an evaluation, so nothing needs a graph.",
        ("missing_no_grad",),
    ),
)
