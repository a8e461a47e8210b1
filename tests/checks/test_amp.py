"""`train_amp_step` in many styles, right and wrong, judged by what each step used."""

from __future__ import annotations

import textwrap

import pytest
import torch
from torch.nn import functional as F

from tests.harness import own_module
from tests.lab_08 import ID, lost, report, results, task

ap = own_module(ID, "amp")
steps = own_module(ID, "steps")

CHECKS = task("amp_")


def step(body: str, end: str = "return loss.item()") -> str:
    """A `train_amp_step` with this body."""
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"""\
def train_amp_step(model, batch, loss_fn, optimizer, scaler, max_norm):
    x, y = batch
{lines}
    {end}
"""


ZERO = "optimizer.zero_grad()\n"
LOSS = "loss = loss_fn(model(x), y)\n"
BACK = "scaler.scale(loss).backward()\n"
UNSCALE = "scaler.unscale_(optimizer)\n"
CLIP = "nn.utils.clip_grad_norm_(model.parameters(), max_norm)\n"
STEP = "scaler.step(optimizer)\n"
UPDATE = "scaler.update()\n"
OWN = "mine = torch.optim.SGD(model.parameters(), lr=optimizer.param_groups[0]['lr'])\n"

CORRECT = {
    "plain": ZERO + LOSS + BACK + UNSCALE + CLIP + STEP + UPDATE,
    "zero after the step": LOSS + BACK + UNSCALE + CLIP + STEP + UPDATE + ZERO,
    "zero between": LOSS + "model.zero_grad(set_to_none=False)\n" + BACK + UNSCALE + CLIP + STEP
    + UPDATE,
    "none": "for p in model.parameters():\n    p.grad = None\n" + LOSS + BACK + UNSCALE + CLIP
    + STEP + UPDATE,
    "own function": ZERO + LOSS + BACK + UNSCALE + "clip_gradients(model, max_norm=max_norm)\n"
    + STEP + UPDATE,
    "by hand": ZERO + LOSS + BACK + UNSCALE
    + "n = torch.stack([p.grad.norm() for p in model.parameters()]).norm()\n"
    "for p in model.parameters():\n    p.grad.mul_(min(1.0, max_norm / (float(n) + 1e-6)))\n"
    + STEP + UPDATE,
    "bfloat16": ZERO + "with torch.autocast('cpu', dtype=torch.bfloat16):\n    " + LOSS + BACK
    + UNSCALE + CLIP + STEP + UPDATE,
    "scaled by hand where it is enabled": ZERO + LOSS
    + "if scaler.is_enabled():\n    " + BACK.strip() + "\n    " + UNSCALE.strip()
    + "\nelse:\n    loss.backward()\n" + CLIP
    + "if scaler.is_enabled():\n    " + STEP.strip() + "\n    " + UPDATE.strip()
    + "\nelse:\n    optimizer.step()\n",
    "autograd.grad": ZERO + LOSS
    + "ps = [p for g in optimizer.param_groups for p in g['params']]\n"
    "for p, g in zip(ps, torch.autograd.grad(scaler.scale(loss), ps)):\n    p.grad = g\n"
    + UNSCALE + CLIP + STEP + UPDATE,
    "foreach off, errors asked for": ZERO + LOSS + BACK + UNSCALE
    + "torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm, foreach=False)\n"
    + STEP + UPDATE,
    "limit times scale, before unscaling": ZERO + LOSS + BACK
    + "nn.utils.clip_grad_norm_(model.parameters(), max_norm * scaler.get_scale())\n"
    + STEP + UPDATE,
    "weighted by the batch, then divided": ZERO + LOSS + "loss = loss * len(y) / len(y)\n" + BACK
    + UNSCALE + CLIP + STEP + UPDATE,
    "an overflow is skipped by itself, and the scaler updated": ZERO + LOSS + BACK + UNSCALE
    + "n = " + CLIP + "if not torch.isfinite(n):\n    " + UPDATE + "    return loss.item()\n"
    + STEP + UPDATE,
}  # fmt: skip

STILL = ["amp_beats", "amp_clip", "amp_scaler", "amp_overflow"]
"""Where no weight moves, what was done to the gradients cannot be seen."""
WRONG: dict[str, tuple[str, list[str], list[str]]] = {
    "clip before unscale": (
        ZERO + LOSS + BACK + CLIP + UNSCALE + STEP + UPDATE,
        ["clip_before_unscale"],
        ["amp_clip"],
    ),
    "clip and never unscale": (
        ZERO + LOSS + BACK + CLIP + STEP + UPDATE,
        ["clip_before_unscale"],
        ["amp_clip"],
    ),
    "clip after the step": (
        ZERO + LOSS + BACK + UNSCALE + STEP + CLIP + UPDATE,
        ["clip_no_effect"],
        ["amp_clip"],
    ),
    "clip before the backward pass": (
        ZERO + LOSS + CLIP + BACK + UNSCALE + STEP + UPDATE,
        ["clip_no_effect"],
        ["amp_clip"],
    ),
    "no clip": (ZERO + LOSS + BACK + STEP + UPDATE, ["clip_no_effect"], ["amp_clip"]),
    "no zero": (
        LOSS + BACK + UNSCALE + CLIP + STEP + UPDATE,
        ["missing_zero_grad"],
        ["amp_zero"],
    ),
    "no zero where the scaler is enabled": (
        "if not scaler.is_enabled():\n    " + ZERO + LOSS + BACK + UNSCALE + CLIP + STEP + UPDATE,
        ["missing_zero_grad"],
        ["amp_zero"],
    ),
    "an optimizer of its own": (
        ZERO + OWN + LOSS + BACK + UNSCALE.replace("optimizer", "mine") + CLIP
        + STEP.replace("optimizer", "mine") + UPDATE,
        [],
        ["amp_beats"],
    ),
    "weights put back": (
        "kept = {k: v.clone() for k, v in model.state_dict().items()}\n" + ZERO + LOSS + BACK
        + UNSCALE + CLIP + STEP + UPDATE + "model.load_state_dict(kept)\n",
        [],
        ["amp_beats"],
    ),
    "zero after backward": (
        LOSS + BACK + ZERO + UNSCALE + CLIP + STEP + UPDATE,
        ["zero_grad_after_backward"],
        ["amp_beats"],
    ),
    "zeros after backward": (
        LOSS + BACK + UNSCALE + "for p in model.parameters():\n    p.grad.zero_()\n" + CLIP + STEP
        + UPDATE,
        ["zero_grad_after_backward"],
        STILL,
    ),
    "no step": (ZERO + LOSS + BACK + UNSCALE + CLIP + UPDATE, ["missing_step"], STILL),
    "no backward": (
        ZERO + LOSS + "scaler.scale(loss)\noptimizer.step()\n",
        ["missing_backward"],
        STILL,
    ),
    "step first": (
        ZERO + LOSS + "optimizer.step()\n" + BACK,
        ["step_before_backward"],
        STILL,
    ),
    "step of the batch before": (
        "optimizer.step()\noptimizer.zero_grad()\n" + LOSS + BACK + UNSCALE + CLIP + UPDATE,
        ["step_before_backward"],
        ["amp_beats", "amp_overflow"],
    ),
    "step between forward and backward": (
        LOSS + "optimizer.step()\noptimizer.zero_grad()\n" + BACK + UNSCALE + CLIP + UPDATE,
        ["step_before_backward"],
        ["amp_runs", "amp_beats", "amp_scaler", "amp_overflow"],
    ),
    "no update": (
        ZERO + LOSS + BACK + UNSCALE + CLIP + STEP,
        ["wrong_value"],
        ["amp_scaler", "amp_overflow"],
    ),
    "not scaled": (
        ZERO + LOSS + "loss.backward()\n" + UNSCALE + CLIP + STEP + UPDATE,
        ["wrong_value"],
        ["amp_clip", "amp_scaler", "amp_overflow"],
    ),
    "another loss scaled": (
        ZERO + LOSS + "scaler.scale(torch.zeros(()))\nloss.backward()\n" + UNSCALE + CLIP + STEP
        + UPDATE,
        ["wrong_value"],
        ["amp_scaler", "amp_overflow"],
    ),
    "never unscaled": (
        ZERO + LOSS + BACK + CLIP + "optimizer.step()\n",
        ["wrong_value"],
        ["amp_scaler", "amp_overflow"],
    ),
    "the optimizer's own step": (
        ZERO + LOSS + BACK + UNSCALE + CLIP + "optimizer.step()\n" + UPDATE,
        ["wrong_value"],
        ["amp_overflow"],
    ),
    "never unscaled, no update": (
        ZERO + LOSS + BACK + CLIP + "optimizer.step()\n",
        ["wrong_value"],
        ["amp_scaler", "amp_overflow"],
    ),
    "no scaler at all": (
        ZERO + LOSS + "loss.backward()\n" + CLIP + "optimizer.step()\n",
        ["wrong_value"],
        ["amp_scaler", "amp_overflow"],
    ),
    "sum": (
        ZERO + LOSS + "total = loss * len(y)\nscaler.scale(total).backward()\n" + UNSCALE + CLIP
        + STEP + UPDATE,
        ["sum_instead_of_mean"],
        ["amp_objective"],
    ),
    "softmax": (
        ZERO + "loss = loss_fn(model(x).softmax(1), y)\n" + BACK + UNSCALE + CLIP + STEP + UPDATE,
        ["softmax_before_cross_entropy"],
        ["amp_objective"],
    ),
    "own loss": (
        ZERO + LOSS + "scaler.scale(nn.functional.cross_entropy(model(x), y)).backward()\n"
        + UNSCALE + CLIP + STEP + UPDATE,
        ["wrong_value"],
        ["amp_objective", "amp_overflow"],
    ),
    "no zero, clip before unscale": (
        LOSS + BACK + CLIP + UNSCALE + STEP + UPDATE,
        ["clip_before_unscale", "missing_zero_grad"],
        ["amp_zero", "amp_clip"],
    ),
    "no zero, clip after the step": (
        LOSS + BACK + STEP + CLIP + UPDATE,
        ["clip_no_effect", "missing_zero_grad"],
        ["amp_zero", "amp_clip"],
    ),
    "no zero, no clip": (
        LOSS + BACK + STEP + UPDATE,
        ["clip_no_effect", "missing_zero_grad"],
        ["amp_zero", "amp_clip"],
    ),
    "sum, no clip": (
        ZERO + LOSS + "scaler.scale(loss * len(y)).backward()\n" + STEP + UPDATE,
        ["clip_no_effect", "sum_instead_of_mean"],
        ["amp_objective", "amp_clip"],
    ),
    "sum, clip before unscale": (
        ZERO + LOSS + "scaler.scale(loss * len(y)).backward()\n" + CLIP + STEP + UPDATE,
        ["clip_before_unscale", "sum_instead_of_mean"],
        ["amp_objective", "amp_clip"],
    ),
    "no zero, no update": (
        LOSS + BACK + UNSCALE + CLIP + STEP,
        ["missing_zero_grad", "wrong_value"],
        ["amp_zero", "amp_scaler", "amp_overflow"],
    ),
    "no zero in bfloat16": (
        "with torch.autocast('cpu', dtype=torch.bfloat16):\n    " + LOSS + BACK + UNSCALE + CLIP
        + STEP + UPDATE,
        ["missing_zero_grad"],
        ["amp_zero"],
    ),
    "clip before unscale in bfloat16": (
        ZERO + "with torch.autocast('cpu', dtype=torch.bfloat16):\n    " + LOSS + BACK + CLIP
        + UNSCALE + STEP + UPDATE,
        ["clip_before_unscale"],
        ["amp_clip"],
    ),
    "skipped without an update": (
        ZERO + LOSS + "if not torch.isfinite(scaler.scale(loss)):\n    return loss.item()\n"
        + BACK + UNSCALE + CLIP + STEP + UPDATE,
        ["wrong_value"],
        ["amp_overflow"],
    ),
    "update before the step": (
        ZERO + LOSS + BACK + UNSCALE + CLIP + UPDATE + STEP,
        ["wrong_value"],
        ["amp_scaler"],
    ),
    "update before unscaling": (
        ZERO + LOSS + BACK + UPDATE + UNSCALE + CLIP + STEP,
        ["wrong_value"],
        ["amp_scaler"],
    ),
    "update before the step and after it": (
        ZERO + LOSS + BACK + UNSCALE + CLIP + UPDATE + STEP + UPDATE,
        ["wrong_value"],
        ["amp_scaler"],
    ),
    "update before the step where the scaler is enabled": (
        ZERO + LOSS + BACK + UNSCALE + CLIP + "if scaler.is_enabled():\n    " + UPDATE + STEP,
        ["wrong_value"],
        ["amp_scaler"],
    ),
    "no zero, update before the step": (
        LOSS + BACK + UNSCALE + CLIP + UPDATE + STEP,
        ["missing_zero_grad", "wrong_value"],
        ["amp_zero", "amp_scaler"],
    ),
    "zero after backward, update before the step": (
        LOSS + BACK + ZERO + UNSCALE + CLIP + UPDATE + STEP,
        ["wrong_value", "zero_grad_after_backward"],
        ["amp_beats", "amp_scaler"],
    ),
    "no clip, update before the step": (
        ZERO + LOSS + BACK + UNSCALE + UPDATE + STEP,
        ["clip_no_effect", "wrong_value"],
        ["amp_clip", "amp_scaler"],
    ),
    "clip before unscale, update before the step": (
        ZERO + LOSS + BACK + CLIP + UNSCALE + UPDATE + STEP,
        ["clip_before_unscale", "wrong_value"],
        ["amp_clip", "amp_scaler"],
    ),
    "clipped by its own norm each": (
        ZERO + LOSS + BACK + UNSCALE
        + "for p in model.parameters():\n    nn.utils.clip_grad_norm_([p], max_norm)\n"
        + STEP + UPDATE,
        ["wrong_value"],
        ["amp_clip"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", CORRECT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    assert not lost(step(CORRECT[style]), *CHECKS), report(step(CORRECT[style]), *CHECKS)


@pytest.mark.parametrize("case", WRONG)
def test_bugs_are_named(case: str) -> None:
    body, bugs, checks = WRONG[case]
    source = step(body)
    found = lost(source, *CHECKS)
    said = report(source, *CHECKS)
    assert sorted({b for named in found.values() for b in named}) == sorted(bugs), said
    assert list(found) == checks, said


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("return float(scaler.scale(loss))", "it is the scaled loss"),
        ("return loss.item() * len(y)", "the loss is"),
        ("return loss_fn(model(x), y).item()", "the loss is"),
    ],
)
def test_another_number_than_the_loss_is_told(end: str, words: str) -> None:
    found = results(step(CORRECT["plain"], end), *CHECKS)
    assert found["amp_loss"].bugs == ("wrong_value",)
    assert words in found["amp_loss"].message
    assert sum(r.status != "passed" for r in found.values()) == 1


def test_no_number_is_told() -> None:
    source = step(CORRECT["plain"], "return None")
    assert lost(source, *CHECKS) == {"amp_runs": ("wrong_value",), "amp_loss": ("wrong_value",)}


def test_a_tensor_is_a_number() -> None:
    assert not lost(step(CORRECT["plain"], "return loss"), *CHECKS)


def test_an_error_is_told_with_its_line() -> None:
    found = results(step("undefined"), *CHECKS)
    assert found["amp_runs"].status == "error"
    assert "line" in found["amp_runs"].message
    assert {r.status for k, r in found.items() if k != "amp_runs"} == {"not_checked"}


def test_a_function_that_only_computes_the_loss_earns_what_is_asked_of_the_loss() -> None:
    found = results(step("loss = loss_fn(model(x), y)"), *CHECKS)
    assert {k for k, r in found.items() if r.score} == {"amp_runs", "amp_objective", "amp_loss"}


def test_a_wrong_clip_gradients_costs_its_own_task_only() -> None:
    broken = "def clip_gradients(model, max_norm):\n    return 0.0\n"
    assert not lost(broken, *CHECKS)
    assert set(lost(broken, *task("clip_"))) == {"clip_norm", "clip_values"}


def test_a_departure_is_told_by_call_and_length() -> None:
    shorter = CORRECT["plain"].replace(CLIP, CLIP.replace("max_norm", "max_norm / 2"))
    found = results(step(shorter), *CHECKS)
    assert "the step of call 1 used gradients of norm" in found["amp_clip"].message
    assert found["amp_beats"].status == "passed"
    turned = CORRECT["plain"].replace(
        CLIP, CLIP + "for p in model.parameters():\n    p.grad.neg_()\n"
    )
    message = results(step(turned), *CHECKS)["amp_beats"].message
    assert "step 1 goes up its batch's gradient" in message


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bright", [ap.BRIGHT, ap.BRIGHT_GROUPS])
def test_gradients_lie_far_above_or_far_below_the_limit(
    seed: int, bright: tuple[float, ...]
) -> None:
    """What clipping does, and what it hides, shows on every fixture that may be drawn."""
    made = steps.step_fixture(seed, bright)
    parts = {k: torch.from_numpy(v).double() for k, v in made.fixture.tensors.items()}
    leaves = [parts[k].requires_grad_() for k in ("w1", "w2")]
    for k, b in enumerate(bright):
        part = slice(k * ap.BATCH, (k + 1) * ap.BATCH)
        hidden = (parts["images"][part].flatten(1) @ leaves[0].T * parts["mask"]).relu()
        scores, labels = hidden @ leaves[1].T, parts["labels"][part].long()
        value = F.cross_entropy(scores, labels, label_smoothing=ap.SMOOTHING)
        grads = torch.autograd.grad(value, leaves)
        norm = float(torch.cat([g.flatten() for g in grads]).norm())
        assert norm > 1.5 * made.max_norm if b == 1 else norm < made.max_norm / 1.5, (k, norm)
