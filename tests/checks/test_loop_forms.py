"""The same loop gets the same verdict in every form, right or wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograder.course import config
from autograder.inside import trace
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program
from tests.loop_forms import ASSIGNMENTS, CHECKS, FORMS, RIGHT, WRONG, Variation, program

pytestmark = pytest.mark.slow


def verdicts(form: str, text: str) -> dict[str, CheckResult]:
    """What the loop's checks of the form's assignment say, by question."""
    path = ROOT / "assignments" / ASSIGNMENTS[form] / "assignment.yml"
    assignment = config.assignment(path)
    run = ForkedRun("script", f"{assignment.module}.py", [text])
    found = judge_program(assignment, run, list(CHECKS[form].values()))
    return {question: found[check] for question, check in CHECKS[form].items()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_loop_passes_in_every_form(form: str, name: str) -> None:
    variation = RIGHT[name]
    if form == "function" and variation.own:
        pytest.skip("a function is handed its optimizer and its loss")
    found = verdicts(form, program(form, variation))
    told = {q: (r.bugs, r.message) for q, r in found.items() if r.status != "passed"}
    assert not told, told


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", WRONG)
def test_a_bug_gets_one_name_in_every_form(form: str, name: str) -> None:
    bug = WRONG[name]
    if bug.question not in CHECKS[form]:
        pytest.skip(f"{form} is not asked for {bug.question}")
    found = verdicts(form, program(form, bug.variation))
    assert bug.name in found[bug.question].bugs, found[bug.question]
    named = {b for r in found.values() for b in r.bugs} - {bug.name}
    assert named <= {"missing_step"} & {"missing_step" if "backward" in name else ""}, found


NOT_FOLLOWED = {
    "copies": "logits = F.relu(x @ (1 * w1).T + b1) @ (1 * w2).T + b2",
    "no_end_seen": "z = F.relu(x @ w1.T + b1) @ (w2 * 1).T + 1 * b2\n"
    "logits = z - z.logsumexp(1, keepdim=True)",
}


@pytest.mark.parametrize("form", ["globals", "bare"])
def test_a_gradient_by_a_transform_accuses_nobody(form: str) -> None:
    """`torch.func.grad` runs it on numbers that nobody sees, and without a backward pass."""
    loss = (
        "pull = torch.func.grad(lambda p: F.cross_entropy("
        "torch.func.functional_call(model, p, images), labels))"
        "({k: v.detach() for k, v in model.named_parameters()})\n"
        "loss = torch.zeros((), requires_grad=True)"
    )
    backward = "for k, v in model.named_parameters():\n    v.grad = pull[k]"
    found = verdicts(form, program(form, Variation(forward="pass", loss=loss, backward=backward)))
    assert {r.status for r in found.values()} == {"ungradable"}, found
    assert not any(r.bugs for r in found.values())


@pytest.mark.parametrize("form", ["globals", "bare"])
@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_weights_used_in_ways_that_are_not_followed_accuse_nobody(form: str, name: str) -> None:
    setup = "w1, b1, w2, b2 = model.parameters()"
    forward = f"x = images.flatten(1)\n{NOT_FOLLOWED[name]}"
    loss = "loss = -logits[torch.arange(len(labels)), labels].mean()"
    loss = loss if name == "no_end_seen" else Variation.loss
    found = verdicts(form, program(form, Variation(setup=setup, forward=forward, loss=loss)))
    assert {r.status for r in found.values()} == {"ungradable"}, found
    assert all("cannot be followed" in r.message and not r.bugs for r in found.values()), found


def judged(form: str, change: tuple[str, str], *checks: str) -> dict[str, CheckResult]:
    """What these checks say of the plain program with one change."""
    path = ROOT / "assignments" / ASSIGNMENTS[form] / "assignment.yml"
    assignment = config.assignment(path)
    text = program(form, Variation())
    assert change[0] in text
    run = ForkedRun("script", f"{assignment.module}.py", [text.replace(*change)])
    return judge_program(assignment, run, list(checks))


def test_test_images_that_change_as_they_are_read_are_named() -> None:
    shifted = "model(torch.roll(images, int(torch.randint(-3, 4, ())), 3)).argmax"
    found = judged("globals", ("model(images).argmax", shifted), "evaluate_accuracy")
    assert found["evaluate_accuracy"].bugs == ("eval_augmented",)


@pytest.mark.parametrize(
    "shape", ["reshape(784, -1).T", "permute(1, 2, 3, 0).reshape(-1, 784)", "view(784, -1).t()"]
)
def test_rows_of_many_images_are_named(shape: str) -> None:
    change = ("net(images)", f"net(images.{shape})")
    text = ("model(images)", f"model(images.{shape})")
    assignment = config.assignment(
        ROOT / "assignments" / ASSIGNMENTS["bare"] / "assignment.yml",
    )
    source = program("bare", Variation()).replace(*change).replace(*text)
    run = ForkedRun("script", f"{assignment.module}.py", [source])
    assert judge_program(assignment, run, ["printed"])["printed"].bugs == ("batch_mixing",)


def test_a_second_epoch_that_raises_is_an_error() -> None:
    frozen = ("    model.eval()\n", "    model.eval()\n    model.requires_grad_(False)\n")
    found = judged("globals", frozen, "epoch_runs", "beats")
    assert found["epoch_runs"].status == "error"
    assert "does not require grad" in found["epoch_runs"].message
    assert not any(r.bugs for r in found.values())


WORD: Any = "a"


def test_patches_leave_every_call_as_it_was() -> None:
    """Results, errors and names of what is patched, and the places themselves afterwards."""
    places = [*trace.PRODUCTS, *trace.SUMS]
    before = [getattr(owner, name) for owner, name in places]
    network = nn.Linear(3, 2)
    watch = trace.Trace("net", {"net": network}, keep=2, seed=1)
    x = torch.arange(6.0).reshape(2, 3)
    with watch.watching():
        for (owner, name), old in zip(places, before, strict=True):
            assert getattr(owner, name) is not old
            assert getattr(owner, name).__name__ == old.__name__
        out = x @ network.weight.T + network.bias
        assert torch.equal(out, F.linear(x, network.weight, network.bias))
        assert torch.equal(1 + x, x.add(1))
        assert torch.Tensor.__add__(x, WORD) is NotImplemented
        with pytest.raises(RuntimeError, match="cannot be multiplied"):
            x @ network.weight
        with pytest.raises(TypeError):
            x + WORD
    assert [getattr(owner, name) for owner, name in places] == before
    assert "__add__" not in vars(torch.Tensor)
    assert [c.rows for c in watch.line_of(network).calls] == [2, 2]
    assert watch.unfollowed == 0
