"""The hidden checks of `confusion_matrix` and `per_class_accuracy`, by their numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autograder.checks.base import Context, Inconclusive, Later, check, probe, require, tensor_of
from autograder.model import Array, Evidence, Outcome

from .exam import SAMPLES, confusion, exam, returned


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


@check(
    main=confusion,
    moody=lambda ctx: confusion(ctx, moody=True),
    bugs=("wrong_confusion_matrix", "missing_eval_mode", "wrong_shape"),
    help=(
        "Row: the true class. Column: the predicted one. The model answers in evaluation mode, and "
        "a class that never comes still has its row."
    ),
)
def confusion_matrix(ctx: Context, main: Evidence, moody: Later) -> Outcome:
    """Each count in its own cell."""
    done = _ran(main, "confusion_matrix")
    matrix = returned(done, "confusion_matrix", (10, 10))
    made = exam(ctx)
    right = expected_matrix(made.labels, made.predicted, 10)
    if np.array_equal(matrix, right):
        return _in_another_exam(ctx, moody())
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


@check(
    main=lambda ctx: probe("per_class", {}, {"matrix": _counts(ctx)}),
    bugs=("missing_name", "wrong_shape", "wrong_per_class_accuracy"),
    help="A class's accuracy looks at its own row only.",
)
def per_class(ctx: Context, main: Evidence) -> Outcome:
    """Diagonal over row sums, nan for an absent class."""
    found = returned(require(main), "per_class_accuracy", (7,))
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
