"""The secret exam of `confusion_matrix`, and the check of it that students can run themselves.

The judge knows the net's weights and the labels, and computes every answer itself in float64.
Images are chosen whose two largest logits lie far apart, so that 16-bit arithmetic gives the same
answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from autograder.checks.base import Context, Inconclusive, check, field_of, require, tensor_of
from autograder.errors import GraderError
from autograder.model import Array, Evidence, Outcome, ProbeRequest

SAMPLES, BATCH, HIDDEN = 46, 9, 16


@dataclass(frozen=True, eq=False)
class Exam:
    """A net, images and labels, with what the net answers.

    tensors: as `confusion` of probes.py takes them; labels (N,), predictions in evaluation mode
    and in training mode (N,).
    """

    tensors: Mapping[str, Array]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    in_training: NDArray[np.int64]

    @property
    def apart(self) -> float:
        """By how much the accuracies of both modes differ."""
        right = [(p == self.labels).mean() for p in (self.predicted, self.in_training)]
        return abs(float(right[0] - right[1]))


@lru_cache(maxsize=64)
def _exam(seed: int, *, moody: bool) -> Exam:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        made = _draw(rng, moody=moody)
        if not moody or made.apart > 0.2:
            return made
    raise GraderError("no suitable secret exam was found", remedy="change the assignment's seed")


def _draw(rng: np.random.Generator, *, moody: bool) -> Exam:
    """A net, and of many random images those whose answers are the least in doubt."""
    w1 = rng.normal(0, 0.2, (HIDDEN, 784)).astype(np.float32)
    w2 = rng.normal(0, 1, (10, HIDDEN)).astype(np.float32)
    mask = np.ones(HIDDEN, dtype=np.float32)
    if moody:
        mask = np.where(rng.permutation(HIDDEN) < HIDDEN // 2, 0.0, 2.0).astype(np.float32)
    many = (8 * SAMPLES, 1, 28, 28)
    images = (rng.random(many) * (rng.random(many) < 0.2)).astype(np.float32)
    hidden = images.reshape(len(images), -1).astype(np.float64) @ w1.T.astype(np.float64)
    answers, margins = [], []
    for factor in (np.ones(HIDDEN), mask):
        logits = np.maximum(hidden * factor, 0) @ w2.T.astype(np.float64)
        top = np.sort(logits, axis=1)
        margins.append((top[:, -1] - top[:, -2]) / (np.abs(top).max(axis=1) + 1e-9))
        answers.append(logits.argmax(1).astype(np.int64))
    doubt = -np.minimum(*margins)
    if moody:  # the last class neither occurs nor is answered
        doubt[(answers[0] == 9) | (answers[1] == 9)] = np.inf
    clear = np.sort(np.argsort(doubt, kind="stable")[:SAMPLES])
    images, predicted, in_training = images[clear], answers[0][clear], answers[1][clear]
    classes = 9 if moody else 10
    labels = np.where(rng.random(SAMPLES) < 0.7, predicted, rng.integers(0, classes, SAMPLES))
    short = SAMPLES % BATCH
    labels[-short:] = (predicted[-short:] + 1) % classes
    tensors = {"w1": w1, "w2": w2, "mask": mask, "images": images, "labels": labels}
    return Exam(tensors, labels, predicted, in_training)


def exam(ctx: Context, *, moody: bool = False) -> Exam:
    """The secret exam; `moody` where the net's answers depend on its mode, and one of the ten
    classes is absent.
    """
    return _exam(int(ctx.rng(f"exam/{moody}", shared=True).integers(2**62)), moody=moody)


def confusion(ctx: Context, *, moody: bool = False) -> ProbeRequest:
    """Ask for the matrix of the secret exam."""
    return _asked(exam(ctx, moody=moody), "confusion", ctx.seed)


@lru_cache(maxsize=64)
def _asked(made: Exam, probe: str, seed: int) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args = {"batch": BATCH, "seed": seed, "classes": 10}
    return ProbeRequest(f"own:{probe}", args, made.tensors)


def returned(evidence: Evidence, name: str, shape: tuple[int, ...]) -> Array:
    """The array a function returned, if it has the shape; else `Inconclusive`."""
    kind = field_of(evidence, "kind", str)[:80]
    if "returned" not in evidence.tensors:
        raise Inconclusive(
            Outcome.failed(f"{name} returned {kind}, not a tensor of numbers", "wrong_shape")
        )
    found = tensor_of(evidence, "returned")
    if found.shape != shape:
        raise Inconclusive(
            Outcome.failed(
                f"{name} returned a tensor of shape {found.shape}; {shape} is asked for",
                "wrong_shape",
            )
        )
    return found


@check(
    main=confusion,
    bugs=("missing_name", "wrong_shape", "wrong_confusion_matrix"),
    help="One cell per pair of true and predicted class; every sample adds one to one cell.",
)
def confusion_example(ctx: Context, main: Evidence) -> Outcome:
    """An int64 square that counts every sample once."""
    done = require(main)
    matrix = returned(done, "confusion_matrix", (10, 10))
    dtype = field_of(done, "dtype", str)
    if dtype != "int64":
        return Outcome.failed(
            f"the matrix is {dtype}; it counts, so int64 is asked for", "wrong_confusion_matrix"
        )
    if matrix.sum() != SAMPLES:
        return Outcome.failed(
            f"the matrix counts {matrix.sum():g} samples, the loader has {SAMPLES}",
            "wrong_confusion_matrix",
        )
    return Outcome.passed()
