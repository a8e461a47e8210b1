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
from autograder.model import Array, Evidence, Outcome, ProbeRequest

SAMPLES, BATCH, HIDDEN = 46, 9, 16


@dataclass(frozen=True, eq=False)
class Exam:
    """A net, images and labels, with what the net answers.

    tensors: as `confusion` of probes.py takes them; labels (N,) and predictions (N,).
    """

    tensors: Mapping[str, Array]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]


@lru_cache(maxsize=64)
def _exam(seed: int) -> Exam:
    """A net, and of many random images those whose answers are the least in doubt."""
    rng = np.random.default_rng(seed)
    w1 = rng.normal(0, 0.2, (HIDDEN, 784)).astype(np.float32)
    w2 = rng.normal(0, 1, (10, HIDDEN)).astype(np.float32)
    mask = np.ones(HIDDEN, dtype=np.float32)
    many = (8 * SAMPLES, 1, 28, 28)
    images = (rng.random(many) * (rng.random(many) < 0.2)).astype(np.float32)
    hidden = images.reshape(len(images), -1).astype(np.float64) @ w1.T.astype(np.float64)
    logits = np.maximum(hidden, 0) @ w2.T.astype(np.float64)
    top = np.sort(logits, axis=1)
    margins = (top[:, -1] - top[:, -2]) / (np.abs(top).max(axis=1) + 1e-9)
    clear = np.sort(np.argsort(-margins, kind="stable")[:SAMPLES])
    images, predicted = images[clear], logits.argmax(1).astype(np.int64)[clear]
    labels = np.where(rng.random(SAMPLES) < 0.7, predicted, rng.integers(0, 10, SAMPLES))
    short = SAMPLES % BATCH
    labels[-short:] = (predicted[-short:] + 1) % 10
    tensors = {"w1": w1, "w2": w2, "mask": mask, "images": images, "labels": labels}
    return Exam(tensors, labels, predicted)


def exam(ctx: Context) -> Exam:
    """The secret exam of an assignment."""
    return _exam(int(ctx.rng("exam/False").integers(2**62)))


def confusion(ctx: Context) -> ProbeRequest:
    """Ask for the matrix of the secret exam."""
    return _asked(exam(ctx), "confusion", ctx.assignment.seed)


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
