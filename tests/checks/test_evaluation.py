"""The checks of `evaluate`, `confusion_matrix` and `per_class_accuracy`, by code of each kind."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from autograder.checks.evaluations import evaluation_fixture
from autograder.course import config
from autograder.model import CheckResult, Status
from tests.harness import ROOT, ForkedRun, judge_program, own_module

EVALUATE = ["evaluate_runs", "evaluate_accuracy", "evaluate_mode", "evaluate_no_grad"]
CONFUSION = ["confusion_example", "confusion_matrix"]


def results(source: str, checks: list[str]) -> dict[str, CheckResult]:
    """The given checks of assignment 04 on a script."""
    spec = config.assignment(ROOT / "assignments" / "04-training-loop" / "assignment.yml")
    run = ForkedRun("script", "x.py", ["import torch\n" + textwrap.dedent(source)])
    return judge_program(spec, run, checks)


def verdict(got: dict[str, CheckResult]) -> tuple[set[str], list[str]]:
    """(bugs named, checks not passed)."""
    bugs = {b for r in got.values() for b in r.bugs}
    return bugs, [k for k, r in got.items() if r.status is not Status.PASSED]


def evaluate(
    batch: str = "right += (model(x).argmax(1) == y).sum().item()",
    answer: str = "right / len(dataloader.dataset)",
    before: str = "model.eval()",
    guard: str = "torch.no_grad()",
) -> str:
    """An `evaluate` from its parts."""
    return f"""
from contextlib import nullcontext
def evaluate(model, dataloader):
    {before}
    right, count, parts = 0, 0, []
    with {guard}:
        for x, y in dataloader:
            {batch}
            count += len(y)
    return {answer}
"""


CORRECT = {
    "plain": evaluate(),
    "inference_mode": evaluate(guard="torch.inference_mode()"),
    "set_grad_enabled": evaluate(guard="torch.set_grad_enabled(False)"),
    "train_false": evaluate(before="model.train(False)"),
    "decorated": "@torch.no_grad()" + evaluate(guard="nullcontext()").replace(
        "from contextlib import nullcontext\n", ""
    ).replace("nullcontext()", "torch.no_grad()"),
    "frozen": evaluate(
        before="model.eval(); model.requires_grad_(False)", guard="nullcontext()"
    ),
    "weighted_means": evaluate(
        "right += (model(x).max(dim=1).indices == y).float().mean() * len(y)", "right / count"
    ),
    "softmax_first": evaluate(
        "right += (model(x).softmax(-1).topk(1, dim=1)[1].squeeze(1) == y).sum()",
        "(right / count)",
    ),
    "collected": """
        def evaluate(model, dataloader):
            was = model.training
            model.eval()
            with torch.inference_mode():
                pairs = [(model(x.view(x.size(0), -1)).argmax(-1), y) for x, y in dataloader]
            model.train(was)
            p, y = (torch.cat(c) for c in zip(*pairs))
            return (p == y).double().mean().item()
    """,
    "numpy": evaluate(
        "parts.append((model(x).numpy().argmax(1) == y.numpy()))",
        "__import__('numpy').concatenate(parts).mean()",
    ),
    "bfloat16": evaluate(
        "right += (model(x).argmax(1) == y).sum().item()",
        guard="torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", CORRECT)
def test_correct_evaluations_pass(style: str) -> None:
    got = results(CORRECT[style], EVALUATE)
    assert verdict(got) == (set(), []), {k: r.message for k, r in got.items()}


ACCURACY = ["evaluate_accuracy"]
WRONG = {
    "no_eval": (evaluate(before="pass"), "missing_eval_mode", ["evaluate_mode"]),
    "train_instead": (evaluate(before="model.train()"), "missing_eval_mode", ["evaluate_mode"]),
    "no_guard": (evaluate(guard="nullcontext()"), "missing_no_grad", ["evaluate_no_grad"]),
    "detached_late": (
        evaluate("right += (model(x).detach().argmax(1) == y).sum().item()", guard="nullcontext()"),
        "missing_no_grad",
        ["evaluate_no_grad"],
    ),
    "batch_means": (
        evaluate(
            "parts.append((model(x).argmax(1) == y).float().mean().item())",
            "sum(parts) / len(parts)",
        ),
        "wrong_accuracy",
        ACCURACY,
    ),
    "full_batches": (
        evaluate(answer="right / (len(dataloader) * dataloader.batch_size)"),
        "wrong_accuracy",
        ACCURACY,
    ),
    "percent": (
        evaluate(answer="100 * right / count"),
        "wrong_accuracy",
        ["evaluate_runs", "evaluate_accuracy"],
    ),
    "over_batches": (
        evaluate(answer="right / len(dataloader)"),
        "wrong_accuracy",
        ["evaluate_runs", "evaluate_accuracy"],
    ),
    "last_batch": (
        evaluate("right = (model(x).argmax(1) == y).sum().item()"),
        "wrong_accuracy",
        ACCURACY,
    ),
    "argmin": (
        evaluate("right += (model(x).argmin(1) == y).sum().item()"),
        "wrong_accuracy",
        ACCURACY,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_evaluations_are_named(case: str) -> None:
    source, bug, lost = WRONG[case]
    got = results(source, EVALUATE)
    assert verdict(got) == ({bug}, lost), {k: (r.bugs, r.message) for k, r in got.items()}


def test_the_mean_of_batch_accuracies_is_called_that() -> None:
    got = results(WRONG["batch_means"][0], ACCURACY)
    assert "mean of the batches' accuracies" in got["evaluate_accuracy"].message


def test_a_constant_earns_nothing() -> None:
    got = results("def evaluate(model, dataloader):\n    return 0.5", EVALUATE)
    assert sum(r.score for r in got.values()) == 0


def confusion(body: str, end: str = "return m") -> str:
    return f"""
def confusion_matrix(model, dataloader, n_classes):
    model.eval()
    m = torch.zeros(n_classes, n_classes, dtype=torch.int64)
    with torch.no_grad():
        for x, y in dataloader:
            p = model(x).argmax(1)
            {body}
    {end}
"""


@pytest.mark.parametrize(
    "source",
    [
        confusion("for t, q in zip(y, p): m[t, q] += 1"),
        confusion("m += torch.bincount(y * n_classes + p, minlength=n_classes**2).view_as(m)"),
        confusion("m.index_put_((y, p), torch.ones_like(y), accumulate=True)"),
        confusion("import numpy as np; np.add.at(m.numpy(), (y.numpy(), p.numpy()), 1)"),
    ],
)
def test_correct_matrices_pass(source: str) -> None:
    assert verdict(results(source, CONFUSION)) == (set(), [])


COUNT = "for t, q in zip(y, p): m[t, q] += 1"


@pytest.mark.parametrize(
    ("old", "new", "bug"),
    [
        ("    model.eval()\n", "", "missing_eval_mode"),
        ("    model.eval()\n", "    model.train()\n", "missing_eval_mode"),
        (
            "    m = torch",
            "    n_classes = 1 + max(int(y.max()) for _, y in dataloader)\n    m = torch",
            "wrong_shape",
        ),
    ],
)
def test_a_matrix_that_is_right_for_one_exam_only_is_named(old: str, new: str, bug: str) -> None:
    source = confusion(COUNT)
    assert old in source
    got = results(source.replace(old, new), CONFUSION)
    assert verdict(got) == ({bug}, ["confusion_matrix"])


@pytest.mark.parametrize(
    ("source", "lost", "said"),
    [
        (confusion("for t, q in zip(y, p): m[q, t] += 1"), ["confusion_matrix"], "exchanged"),
        (
            confusion("for t, q in zip(y, p): m[t, q] += 1", "return m.float()"),
            ["confusion_example"],
            "",
        ),
        (confusion("m[y, p] += 1"), CONFUSION, "cells"),
        (
            confusion("for t, q in zip(y, p): m[t, q] += 1", "return m / m.sum()"),
            CONFUSION,
            "divided",
        ),
    ],
)
def test_wrong_matrices_are_named(source: str, lost: list[str], said: str) -> None:
    got = results(source, CONFUSION)
    assert verdict(got) == ({"wrong_confusion_matrix"}, lost)
    assert said in got["confusion_matrix"].message


@pytest.mark.parametrize(
    ("body", "bug"),
    [
        ("return matrix.diag() / matrix.sum(1)", None),
        ("return matrix.diagonal().float() / matrix.sum(dim=1).float()", None),
        (
            """n = matrix.sum(1)
    out = torch.full((len(n),), float('nan'), dtype=torch.float64)
    out[n > 0] = matrix.diag()[n > 0].double() / n[n > 0]
    return out""",
            None,
        ),
        (
            """found = [row[i].item() / row.sum().item() if row.sum() else float('nan')
             for i, row in enumerate(matrix)]
    return torch.tensor(found)""",
            None,
        ),
        ("return matrix.diag() / matrix.sum(0)", "wrong_per_class_accuracy"),
        ("return matrix.diag() / matrix.sum(1).clamp(min=1)", "wrong_per_class_accuracy"),
        ("return matrix.diag() / matrix.sum()", "wrong_per_class_accuracy"),
        ("return 100 * matrix.diag() / matrix.sum(1)", "wrong_per_class_accuracy"),
        ("return (matrix.diag() / matrix.sum(1)).mean()", "wrong_shape"),
        ("return None", "wrong_shape"),
    ],
)
def test_accuracy_per_class(body: str, bug: str | None) -> None:
    got = results(f"def per_class_accuracy(matrix):\n    {body}\n", ["per_class"])["per_class"]
    assert got.bugs == (() if bug is None else (bug,)), got.message
    assert (got.status is Status.PASSED) is (bug is None)


def test_the_fixture_tells_the_modes_apart() -> None:
    made = evaluation_fixture(5, moody=True)
    assert abs(made.right.mean() - made.right_in_training.mean()) > 0.2


def test_the_expected_matrix_by_hand() -> None:
    confusion = own_module("04-training-loop", "confusion")
    matrix = confusion.expected_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    assert matrix.tolist() == [[1, 1], [0, 1]]
