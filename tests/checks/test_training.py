"""The checks of `train_one_epoch` on loops in many styles, right and wrong."""

from __future__ import annotations

import textwrap

import pytest

from autograder.course import config
from autograder.model import CheckResult, Status
from tests.harness import ROOT, ForkedRun, judge_program

TASK = [
    "train_runs",
    "train_zero_grad",
    "train_beats",
    "train_objective",
    "train_mode",
    "train_loss",
    "train_graph",
]

HEAD = """
import copy, torch
from torch import nn
import torch.nn.functional as F
"""


def results(source: str) -> dict[str, CheckResult]:
    """All checks of task 2 on a script that defines train_one_epoch."""
    assignment = config.assignment(ROOT / "assignments" / "04-training-loop" / "assignment.yml")
    run = ForkedRun("script", "training_loop.py", [HEAD + textwrap.dedent(source)])
    return judge_program(assignment, run, TASK)


def loop(body: str, before: str = "model.train()", after: str = "") -> str:
    """A loop with `body` for each batch; it adds up the loss over samples in `total`."""
    return f"""
def train_one_epoch(model, dataloader, loss_fn, optimizer):
    {before}
    total, count = 0.0, 0
    for x, y in dataloader:
{textwrap.indent(textwrap.dedent(body).strip(), " " * 8)}
        total += loss.item() * len(y)
        count += len(y)
    {after or "pass"}
    return total / count
"""


PLAIN = loop(
    """
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    """
)

AROUND = """
class Around(torch.optim.Optimizer):
    def __init__(self, inner):
        self.inner = inner
        super().__init__([p for g in inner.param_groups for p in g["params"]], {})

    def step(self, closure=None):
        self.inner.step(closure)
"""

CORRECT = {
    "plain": PLAIN,
    "around_the_optimizer": AROUND
    + loop(
        "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\nouter.step()",
        "model.train(); outer = Around(optimizer)",
    ),
    "model_zero_grad": loop(
        "model.zero_grad(set_to_none=False)\nloss = loss_fn(model(x), y)\n"
        "loss.backward()\noptimizer.step()"
    ),
    "grad_none": loop(
        "for p in model.parameters():\n    p.grad = None\n"
        "loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()"
    ),
    "zero_after_step": loop(
        "loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()\noptimizer.zero_grad()"
    ),
    "zero_between": loop(
        "loss = loss_fn(model(x), y)\noptimizer.zero_grad(set_to_none=False)\n"
        "loss.backward()\noptimizer.step()"
    ),
    "autograd_grad": loop(
        "loss = loss_fn(model(x), y)\n"
        "ps = list(model.parameters())\n"
        "for p, g in zip(ps, torch.autograd.grad(loss, ps)):\n    p.grad = g\noptimizer.step()"
    ),
    "by_hand": loop(
        "loss = loss_fn(model(x), y)\nps = list(model.parameters())\n"
        "gs = torch.autograd.grad(loss, ps)\nlr = optimizer.param_groups[0]['lr']\n"
        "with torch.no_grad():\n    for p, g in zip(ps, gs):\n        p -= lr * g"
    ),
    "log_softmax": loop(
        "optimizer.zero_grad()\nloss = loss_fn(model(x).log_softmax(1), y)\n"
        "loss.backward()\noptimizer.step()"
    ),
    "clipped": loop(
        "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\n"
        "nn.utils.clip_grad_norm_(model.parameters(), 1.0)\noptimizer.step()"
    ),
    "flat": loop(
        "optimizer.zero_grad()\nloss = loss_fn(model(x.view(-1, 784)), y)\n"
        "loss.backward()\noptimizer.step()"
    ),
    "bfloat16": loop(
        "optimizer.zero_grad()\n"
        "with torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(model(x), y)\n"
        "loss.backward()\noptimizer.step()"
    ),
    "closure": loop(
        "def closure():\n    optimizer.zero_grad()\n    loss = loss_fn(model(x), y)\n"
        "    loss.backward()\n    return loss\nloss = optimizer.step(closure)"
    ),
    "tensor_returned": """
        def train_one_epoch(model, dataloader, loss_fn, optimizer):
            model.train()
            device = next(model.parameters()).device
            total = torch.zeros((), device=device)
            for i, (x, y) in enumerate(dataloader):
                x, y = x.to(device), y.to(device)
                logits = model(x)
                accuracy = (logits.argmax(1) == y).float().mean()
                loss = loss_fn(logits, y)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                total += loss.detach() * x.size(0)
            return total / len(dataloader.dataset)
    """,
    "prefetch": """
        def ahead(loader):
            iter(loader)
            it = iter(loader)
            last = next(it)
            for batch in it:
                yield last
                last = batch
            yield last

        def train_one_epoch(model, dataloader, loss_fn, optimizer):
            model.train()
            losses, sizes = [], []
            for x, y in ahead(dataloader):
                optimizer.zero_grad()
                loss = loss_fn(model(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                sizes.append(len(y))
            return sum(a * b for a, b in zip(losses, sizes)) / sum(sizes)
    """,
    "two_forwards": loop(
        "optimizer.zero_grad()\nlogits = model(x)\nloss = loss_fn(logits, y)\nloss.backward()\n"
        "optimizer.step()\nafter = model(x)\nright = (after.argmax(1) == y).sum().item()"
    ),
    "functional": """
        from torch.func import functional_call

        def train_one_epoch(model, dataloader, loss_fn, optimizer):
            model.train()
            total = 0.0
            for x, y in list(dataloader):
                params = dict(model.named_parameters())
                loss = loss_fn(functional_call(model, params, (x,)), y)
                grads = torch.autograd.grad(loss, list(params.values()))
                for p, g in zip(params.values(), grads):
                    p.grad = g.clone()
                optimizer.step()
                total += float(loss) * y.numel()
            return total / len(dataloader.dataset)
    """,
    "measured_again": PLAIN.replace("def train_one_epoch", "def one")
    + """
def train_one_epoch(model, dataloader, loss_fn, optimizer):
    one(model, dataloader, loss_fn, optimizer)
    model.eval()
    with torch.no_grad():
        total = sum(loss_fn(model(x), y).item() * len(y) for x, y in dataloader)
    return total / len(dataloader.dataset)
""",
    "micro_batches": loop(
        "optimizer.zero_grad()\nloss = torch.zeros(())\n"
        "for a, b in zip(x.split(4), y.split(4)):\n"
        "    part = loss_fn(model(a), b) * len(b) / len(y)\n    part.backward()\n"
        "    loss = loss + part.detach()\noptimizer.step()"
    ),
}


@pytest.mark.parametrize("style", CORRECT)
def test_correct_styles_pass(style: str) -> None:
    got = results(CORRECT[style])
    assert {k: (r.status, r.message) for k, r in got.items() if r.status is not Status.PASSED} == {}
    assert [b for r in got.values() for b in r.bugs] == []


BUGGY: dict[str, tuple[str, list[str], list[str]]] = {
    "no_zero": (
        loop("loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()"),
        ["missing_zero_grad"],
        ["train_zero_grad"],
    ),
    "zero_once": (
        loop(
            "loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()",
            "model.train(); optimizer.zero_grad()",
        ),
        ["missing_zero_grad"],
        ["train_zero_grad"],
    ),
    "an_optimizer_of_its_own": (
        loop(
            "mine = torch.optim.SGD(model.parameters(), lr=0.1)\nmine.zero_grad()\n"
            "loss = loss_fn(model(x), y)\nloss.backward()\nmine.step()"
        ),
        [],
        ["train_beats"],
    ),
    "an_optimizer_of_its_own_that_clears_nothing": (
        loop(
            "mine = torch.optim.SGD(model.parameters(), lr=0.1)\n"
            "loss = loss_fn(model(x), y)\nloss.backward()\nmine.step()"
        ),
        ["missing_zero_grad"],
        ["train_zero_grad", "train_beats"],
    ),
    "weights_put_back": (
        loop(
            "kept = copy.deepcopy(model.state_dict())\noptimizer.zero_grad()\n"
            "loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()\n"
            "model.load_state_dict(kept)"
        ),
        [],
        ["train_beats"],
    ),
    "zero_after_backward": (
        loop(
            "loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.zero_grad()\noptimizer.step()"
        ),
        ["zero_grad_after_backward"],
        ["train_beats"],
    ),
    "none_after_backward": (
        loop(
            "loss = loss_fn(model(x), y)\nloss.backward()\n"
            "for p in model.parameters():\n    p.grad = None\noptimizer.step()"
        ),
        ["zero_grad_after_backward"],
        ["train_beats"],
    ),
    "step_first": (
        loop(
            "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\noptimizer.step()\nloss.backward()"
        ),
        ["step_before_backward"],
        ["train_beats"],
    ),
    "step_first_stale": (
        loop(
            "loss = loss_fn(model(x), y)\noptimizer.step()\noptimizer.zero_grad()\nloss.backward()"
        ),
        ["step_before_backward"],
        ["train_runs", "train_beats", "train_loss", "train_graph"],
    ),
    "step_first_kept": (
        loop("loss = loss_fn(model(x), y)\noptimizer.step()\nloss.backward()"),
        ["step_before_backward"],
        ["train_runs", "train_zero_grad", "train_beats", "train_loss", "train_graph"],
    ),
    "step_at_the_top": (
        loop(
            "optimizer.step()\noptimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()"
        ),
        ["step_before_backward"],
        ["train_beats"],
    ),
    "step_at_the_top_kept": (
        loop("optimizer.step()\nloss = loss_fn(model(x), y)\nloss.backward()"),
        ["missing_zero_grad", "step_before_backward"],
        ["train_zero_grad", "train_beats"],
    ),
    "step_before_assignment": (
        loop(
            "loss = loss_fn(model(x), y)\nps = list(model.parameters())\n"
            "grads = torch.autograd.grad(loss, ps)\noptimizer.step()\n"
            "for p, g in zip(ps, grads):\n    p.grad = g"
        ),
        ["step_before_backward"],
        ["train_beats"],
    ),
    "no_backward": (
        loop("optimizer.zero_grad()\nloss = loss_fn(model(x), y)\noptimizer.step()"),
        ["missing_backward"],
        ["train_beats"],
    ),
    "no_step": (
        loop("optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()"),
        ["missing_step"],
        ["train_beats"],
    ),
    "step_once": (
        loop(
            "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()",
            after="optimizer.step()",
        ),
        ["missing_step"],
        ["train_beats"],
    ),
    "other_model": (
        loop(
            "mine.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\nmine.step()",
            "model.train(); twin = copy.deepcopy(model); "
            "mine = torch.optim.SGD(twin.parameters(), lr=1.0)",
        ),
        ["stale_optimizer"],
        ["train_beats"],
    ),
    "softmax": (
        loop(
            "optimizer.zero_grad()\nloss = loss_fn(model(x).softmax(1), y)\n"
            "loss.backward()\noptimizer.step()"
        ),
        ["softmax_before_cross_entropy"],
        ["train_objective"],
    ),
    "softmax_nll": (
        loop(
            "optimizer.zero_grad()\nloss = F.nll_loss(F.softmax(model(x), dim=1), y)\n"
            "loss.backward()\noptimizer.step()"
        ),
        ["softmax_into_nll"],
        ["train_objective"],
    ),
    "sum": (
        loop(
            "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\n(loss * len(y)).backward()\n"
            "optimizer.step()"
        ),
        ["sum_instead_of_mean"],
        ["train_objective"],
    ),
    "sum_reduction": (
        """
        def train_one_epoch(model, dataloader, loss_fn, optimizer):
            model.train()
            total = 0.0
            for x, y in dataloader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y, reduction="sum")
                loss.backward()
                optimizer.step()
                total += loss.item()
            return total / len(dataloader.dataset)
        """,
        ["sum_instead_of_mean"],
        ["train_objective"],
    ),
    "own_loss": (
        loop(
            "optimizer.zero_grad()\nloss = F.cross_entropy(model(x), y)\nloss.backward()\n"
            "optimizer.step()"
        ),
        ["wrong_value"],
        ["train_objective"],
    ),
    "no_train_mode": (
        loop(
            "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()",
            "pass",
        ),
        ["missing_train_mode"],
        ["train_mode"],
    ),
    "no_zero_softmax": (
        loop("loss = loss_fn(model(x).softmax(-1), y)\nloss.backward()\noptimizer.step()"),
        ["missing_zero_grad", "softmax_before_cross_entropy"],
        ["train_zero_grad", "train_objective"],
    ),
    "no_zero_no_train_mode": (
        loop("loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()", "pass"),
        ["missing_zero_grad", "missing_train_mode"],
        ["train_zero_grad", "train_mode"],
    ),
    "no_zero_bfloat16": (
        loop(
            "with torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(model(x), y)\n"
            "loss.backward()\noptimizer.step()"
        ),
        ["missing_zero_grad"],
        ["train_zero_grad"],
    ),
    "first_batch_only": (
        PLAIN.replace("        count +=", "        return loss.item()\n        count +="),
        [],
        ["train_zero_grad", "train_beats", "train_graph"],
    ),
    "skips_short_batch": (
        loop(
            "if len(y) < 8:\n    continue\n"
            "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()"
        ),
        [],
        ["train_beats"],
    ),
}
for _name, _line, _end, _bug in (
    ("batch_means", "total += loss.item()", "total / len(dataloader)", "mean_of_batch_means"),
    ("divided_twice", "total += loss.item()", "total / len(dataloader.dataset)",
     "loss_divided_twice"),
    ("last_loss", "pass", "loss.item()", "wrong_value"),
    ("sum_of_losses", "total += loss.item() * len(y)", "total", "wrong_value"),
):  # fmt: skip
    BUGGY[_name] = (
        PLAIN.replace("total += loss.item() * len(y)", _line).replace("total / count", _end),
        [_bug],
        ["train_loss"],
    )
for _name, _line, _end in (
    ("graph_total", "total = total + loss * len(y)", "(total / count).item()"),
    ("graph_total_tensor", "total += loss * len(y)", "total / count"),
    ("graph_list", "seen.append(loss * len(y))", "float(sum(seen)) / count"),
):
    BUGGY[_name] = (
        PLAIN.replace("total += loss.item() * len(y)", _line)
        .replace("total, count = 0.0, 0", "total, count, seen = 0.0, 0, []")
        .replace("total / count", _end),
        ["loss_graph_accumulated"],
        ["train_graph"],
    )


@pytest.mark.parametrize("case", BUGGY)
def test_bugs_are_named(case: str) -> None:
    source, bugs, lost = BUGGY[case]
    got = results(source)
    report = {k: (str(r.status), r.bugs, r.message) for k, r in got.items()}
    assert sorted({b for r in got.values() for b in r.bugs}) == sorted(bugs), report
    assert [k for k, r in got.items() if r.status is not Status.PASSED] == lost, report


def test_a_missing_function_is_one_red_line() -> None:
    got = results("x = 1")
    assert got["train_runs"].bugs == ("missing_name",)
    assert {r.status for k, r in got.items() if k != "train_runs"} == {Status.NOT_CHECKED}


def test_an_error_is_told_with_its_line() -> None:
    got = results("def train_one_epoch(a, b, c, d):\n    return undefined")
    assert got["train_runs"].status is Status.ERROR
    assert "line" in got["train_runs"].message


def test_a_function_that_does_nothing_earns_nothing() -> None:
    got = results("def train_one_epoch(model, dataloader, loss_fn, optimizer):\n    return 2.3")
    assert sum(r.score for r in got.values()) == 0


def test_messages_say_what_was_seen() -> None:
    message = results(BUGGY["no_zero"][0])["train_zero_grad"].message
    assert message.startswith("step 2 was made of its own batch's gradients")
    assert "of those that step 1 had used" in message
