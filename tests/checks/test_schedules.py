"""`lr_at` and `make_scheduler`, right and wrong."""

from __future__ import annotations

import math
import textwrap

import pytest

from tests.harness import own_module
from tests.lab_08 import ID, lost, report, results, task

schedules = own_module(ID, "schedules")

TABLE, MADE = task("lr_"), task("schedulers_")


def table(body: str) -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"def lr_at(step, total, base_lr, warmup):\n{lines}\n"


COSINE = (
    "p = (step - warmup) / (total - warmup)\nreturn base_lr * (1 + math.cos(math.pi * p)) / 2\n"
)
UP = "if step < warmup:\n    return base_lr * (step + 1) / warmup\n"
RIGHT_TABLE = {
    "plain": UP + COSINE,
    "a tensor": UP + "p = torch.tensor((step - warmup) / (total - warmup), dtype=torch.float64)\n"
    "return base_lr * (1 + torch.cos(math.pi * p)) / 2\n",
    "a square": UP + "p = (step - warmup) / (total - warmup)\n"
    "return base_lr * math.cos(math.pi * p / 2) ** 2\n",
    "a list": "up = [base_lr * (s + 1) / warmup for s in range(warmup)]\n"
    "down = [base_lr / 2 * (1 + math.cos(math.pi * s / (total - warmup)))"
    " for s in range(total - warmup)]\nreturn (up + down)[step]\n",
}
WRONG_TABLE = {
    "from zero": (UP.replace("(step + 1)", "step") + COSINE, "warm-up starts from 0", TABLE),
    "over all": (
        UP + "return base_lr * (1 + math.cos(math.pi * step / total)) / 2\n",
        "a cosine over all steps",
        TABLE,
    ),
    "no decay": (UP + "return base_lr\n", "the full rate", TABLE),
    "linear decay": (
        UP + "return base_lr * (total - step) / (total - warmup)\n",
        "is right",
        TABLE,
    ),
    "only this length": (
        UP + COSINE.replace("(total - warmup)", "8"),
        "is right",
        ("lr_curve",),
    ),
    "no number": (UP + "pass\n", "not a number", TABLE),
    "a warm-up of at least one": (
        "warmup = max(1, warmup)\n" + UP + COSINE,
        "is right",
        ("lr_curve",),
    ),
}


@pytest.mark.parametrize("style", RIGHT_TABLE)
def test_a_correct_table_loses_nothing(style: str) -> None:
    assert not lost(table(RIGHT_TABLE[style]), *TABLE), report(table(RIGHT_TABLE[style]), *TABLE)


@pytest.mark.parametrize("case", WRONG_TABLE)
def test_a_wrong_table_is_told(case: str) -> None:
    body, words, checks = WRONG_TABLE[case]
    found = {k: r for k, r in results(table(body), *TABLE).items() if r.status != "passed"}
    assert tuple(found) == checks
    assert {r.bugs for r in found.values()} == {("wrong_value",)}
    assert words in found["lr_curve"].message


MAKE = """
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, OneCycleLR, StepLR

def make_scheduler(name, optimizer, epochs, steps_per_epoch):
    if name == "step":
        return StepLR(optimizer, epochs // 3)
    if name == "cosine":
        return CosineAnnealingLR(optimizer, epochs)
    if name == "one-cycle":
        rate = optimizer.param_groups[0]["lr"]
        return OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=steps_per_epoch)
    raise ValueError(name)
"""
RIGHT_MADE = {
    "plain": (),
    "lambdas": (
        ("StepLR(optimizer, epochs // 3)",
         "LambdaLR(optimizer, lambda e: 0.1 ** (e * 3 // epochs))"),
        ("CosineAnnealingLR(optimizer, epochs)",
         "LambdaLR(optimizer, lambda e: math.cos(math.pi * e / epochs / 2) ** 2)"),
    ),
    "milestones": (
        ("StepLR(optimizer, epochs // 3)",
         "torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 3, 2 * (epochs // 3)])"),
    ),
}  # fmt: skip
WRONG_MADE = {
    "counts batches": (
        ("CosineAnnealingLR(optimizer, epochs)",
         "CosineAnnealingLR(optimizer, epochs * steps_per_epoch)"),
        {"schedulers_traces": ("wrong_value",)},
    ),
    "halves": (
        ("epochs // 3)", "epochs // 3, gamma=0.5)"),
        {"schedulers_traces": ("wrong_value",)},
    ),
    **{
        f"a step of {n}": (("StepLR(optimizer, epochs // 3)", f"StepLR(optimizer, {n})"),
                           {"schedulers_traces": ("wrong_value",)})
        for n in (3, 4)
    },
    "another top": (("optimizer, rate,", "optimizer, 0.1,"),
                    {"schedulers_traces": ("wrong_value",)}),
    "takes any name": (("raise ValueError(name)", "return StepLR(optimizer, 1)"),
                       {"schedulers_made": ("wrong_value",)}),
    "another error": (("raise ValueError(name)", "raise KeyError(name)"),
                      {"schedulers_made": ("wrong_value",)}),
    "no schedule": (("return CosineAnnealingLR(optimizer, epochs)", "return None"),
                    {"schedulers_made": ("wrong_value",), "schedulers_traces": ()}),
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT_MADE)
def test_correct_schedules_lose_nothing(style: str) -> None:
    source = MAKE
    for old, new in RIGHT_MADE[style]:
        assert old in source
        source = source.replace(old, new)
    assert not lost(source, *MADE), report(source, *MADE)


@pytest.mark.parametrize("case", WRONG_MADE)
def test_wrong_schedules_are_told(case: str) -> None:
    (old, new), expected = WRONG_MADE[case]
    assert old in MAKE
    assert lost(MAKE.replace(old, new), *MADE) == expected


def test_a_one_cycle_too_short_for_the_epochs_is_an_error_of_the_students() -> None:
    source = MAKE.replace("epochs=epochs, steps", "epochs=1, steps")
    assert set(lost(source, *MADE)) == set(MADE)
    assert results(source, *MADE)["schedulers_made"].status == "error"


def test_the_formula_at_its_corners() -> None:
    assert [schedules.lr_at(s, 10, 1.0, 2) for s in (0, 1, 2)] == [0.5, 1.0, 1.0]
    assert schedules.lr_at(6, 10, 1.0, 2) == pytest.approx(0.5)
    assert schedules.lr_at(9, 10, 1.0, 2) == pytest.approx((1 + math.cos(math.pi * 7 / 8)) / 2)
