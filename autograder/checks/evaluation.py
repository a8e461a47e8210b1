"""Checks of `confusion_matrix` and `per_class_accuracy`, by their numbers.

The judge knows the net's weights and the labels, computes every answer itself in float64,
and recognises the usual wrong ones by value. Images are chosen whose two largest logits lie
far apart, so that 16-bit arithmetic gives the same answers. For the question of the mode the
net drops half of its units in training mode, and the labels are mostly what it says in
evaluation mode, so the two accuracies lie far apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import GraderError
from ..model import Array, Evidence, Outcome, ProbeRequest
from .base import Context, Inconclusive, StandardCheck, field_of, require, tensor_of

SAMPLES, BATCH, HIDDEN = 46, 9, 16
TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Exam:
    """A net, images and labels, with what the net answers in either mode.

    tensors: as `inside/probes/evaluation.py` takes them; labels (N,), and the predictions
    (N,) in evaluation and in training mode.
    """

    tensors: Mapping[str, Array]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    in_training: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        return float((self.predicted == self.labels).mean())

    @property
    def training_accuracy(self) -> float:
        return float((self.in_training == self.labels).mean())


@lru_cache(maxsize=64)
def _exam(seed: int, moody: bool) -> Exam:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        made = _draw(rng, moody)
        if not moody or abs(made.accuracy - made.training_accuracy) > 0.2:
            return made
    raise GraderError("no suitable secret exam was found", remedy="change the assignment's seed")


def _draw(rng: np.random.Generator, moody: bool) -> Exam:
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


def exam(ctx: Context, moody: bool = False) -> Exam:
    """The secret exam; `moody` where the net's answers depend on its mode, and one of the ten
    classes is absent.
    """
    return _exam(int(ctx.rng(f"exam/{moody}").integers(2**62)), moody)


def _request(ctx: Context, probe: str, moody: bool = False) -> ProbeRequest:
    return _asked(exam(ctx, moody), probe, ctx.assignment.seed)


@lru_cache(maxsize=64)
def _asked(made: Exam, probe: str, seed: int) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args = {"batch": BATCH, "seed": seed, "classes": 10}
    return ProbeRequest(f"evaluation:{probe}", args, made.tensors)


def _ran(evidence: Evidence, name: str) -> Evidence:
    """The evidence, or `not_checked`: the first check of the task says what went wrong."""
    if evidence.status != "done":
        raise Inconclusive(
            Outcome.not_checked(
                f"not checked: {name} did not run to its end; see the first check of its task"
            )
        )
    return evidence


def expected_matrix(labels: Array, predicted: Array, classes: int) -> NDArray[np.int64]:
    """Counts (classes, classes): rows are the true class, columns the predicted one."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def _returned(evidence: Evidence, name: str, shape: tuple[int, ...]) -> Array:
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


def judge_example(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """An int64 square that counts every sample once."""
    done = require(evidence["main"])
    matrix = _returned(done, "confusion_matrix", (10, 10))
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


def judge_confusion(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each count in its own cell."""
    done = _ran(evidence["main"], "confusion_matrix")
    matrix = _returned(done, "confusion_matrix", (10, 10))
    made = exam(ctx)
    right = expected_matrix(made.labels, made.predicted, 10)
    if np.array_equal(matrix, right):
        return _in_another_exam(ctx, evidence["moody"])
    if np.array_equal(matrix, right.T):
        what = "rows and columns are exchanged"
    elif matrix.sum() and np.allclose(matrix * (SAMPLES / matrix.sum()), right, atol=1e-3):
        what = "the counts are divided or multiplied"
    else:
        cells = int((~np.isclose(matrix, right)).sum())
        what = f"{cells} of 100 cells differ; its diagonal sums to {np.trace(matrix):g}"
        what += f" where {int(np.trace(right))} answers are right"
    return Outcome.failed(f"the matrix is not the right one: {what}", "wrong_confusion_matrix")


def _in_another_exam(ctx: Context, evidence: Evidence) -> Outcome:
    """A matrix that was right once, where the net drops units in training mode and a class is
    absent.
    """
    done, made = _ran(evidence, "confusion_matrix"), exam(ctx, moody=True)
    found = tensor_of(done, "returned") if "returned" in done.tensors else np.zeros(0)
    if found.shape != (10, 10):
        return Outcome.failed(
            f"of images without class 9 the matrix is {found.shape}; n_classes is still 10",
            "wrong_shape",
        )
    if np.array_equal(found, expected_matrix(made.labels, made.predicted, 10)):
        return Outcome.passed()
    if np.array_equal(found, expected_matrix(made.labels, made.in_training, 10)):
        return Outcome.failed(
            "the model came in training mode, and its answers were counted in that mode",
            "missing_eval_mode",
        )
    return Outcome.failed(
        "on other images the matrix is not the right one", "wrong_confusion_matrix"
    )


def _counts(ctx: Context) -> NDArray[np.int64]:
    """A secret (7, 7) matrix of counts: class 3 absent though predicted, class 5 never found."""
    rng = ctx.rng("per_class")
    matrix = rng.integers(0, 9, (7, 7)) + np.diag(rng.integers(5, 30, 7))
    matrix[3] = 0
    matrix[5, 5] = 0
    matrix[0, 3] += 2
    matrix[5, 0] += 4
    return np.asarray(matrix, dtype=np.int64)


def judge_per_class(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Diagonal over row sums, nan for an absent class."""
    found = _returned(require(evidence["main"]), "per_class_accuracy", (7,))
    matrix = _counts(ctx)
    diagonal, rows, columns = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    right = np.array([d / r if r else np.nan for d, r in zip(diagonal, rows, strict=True)])
    if np.allclose(found, right, atol=1e-5, equal_nan=True):
        return Outcome.passed()
    present = rows > 0
    if np.allclose(found[present], right[present], atol=1e-5):
        what = f"a class without samples got {float(found[3]):g}, where nan is asked for"
    elif np.allclose(found, diagonal / np.maximum(columns, 1), atol=1e-5, equal_nan=True):
        what = "each class was divided by how often it was predicted, not by how often it occurs"
    elif np.allclose(found[present], 100 * right[present], atol=1e-3):
        what = "the values are percentages"
    elif np.allclose(found, diagonal / matrix.sum(), atol=1e-5):
        what = "each class was divided by all samples"
    else:
        first = int(np.flatnonzero(~np.isclose(found, right, atol=1e-5, equal_nan=True))[0])
        what = f"class {first} got {float(found[first]):.4g}, where {right[first]:.4g} is right"
    return Outcome.failed(what, "wrong_per_class_accuracy")


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "confusion_example",
        lambda ctx: {"main": _request(ctx, "confusion")},
        judge_example,
        "One cell per pair of true and predicted class; every sample adds one to one cell.",
        ("missing_name", "wrong_shape", "wrong_confusion_matrix"),
    ),
    StandardCheck(
        "confusion_matrix",
        lambda ctx: {
            "main": _request(ctx, "confusion"),
            "moody": _request(ctx, "confusion", moody=True),
        },
        judge_confusion,
        "Row: the true class. Column: the predicted one. The model answers in evaluation mode, "
        "and a class that never comes still has its row.",
        ("wrong_confusion_matrix", "missing_eval_mode", "wrong_shape"),
    ),
    StandardCheck(
        "per_class",
        lambda ctx: {"main": ProbeRequest("evaluation:per_class", {}, {"matrix": _counts(ctx)})},
        judge_per_class,
        "A class's accuracy looks at its own row only.",
        ("missing_name", "wrong_shape", "wrong_per_class_accuracy"),
    ),
)
