"""The checks of a model class, on classes in many styles, right and wrong."""

from __future__ import annotations

import textwrap

import pytest

from autograder.course import config
from autograder.model import CheckResult, Status
from tests.harness import ROOT, ForkedRun, judge_program

TASK = ["mlp_shape", "mlp_registered", "mlp_logits", "mlp_nonlinear", "mlp_rows"]

HEAD = """
import torch
from torch import nn
import torch.nn.functional as F
"""


def results(source: str, assignment: str = "04-training-loop") -> dict[str, CheckResult]:
    """All checks of the model on a script that defines it."""
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    run = ForkedRun("script", "x.py", [HEAD + textwrap.dedent(source)])
    return judge_program(spec, run, TASK)


def model(forward: str, layers: str = "") -> str:
    """A class with three linear layers a, b, c and the given forward body."""
    layers = layers or (
        "self.a = nn.Linear(784, 128)\nself.b = nn.Linear(128, 64)\nself.c = nn.Linear(64, 10)"
    )
    return f"""
class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
{textwrap.indent(layers, " " * 8)}

    def forward(self, x):
{textwrap.indent(textwrap.dedent(forward).strip(), " " * 8)}
"""


GOOD = "x = x.flatten(1)\nreturn self.c(F.relu(self.b(F.relu(self.a(x)))))"

CORRECT = {
    "functional": model(GOOD),
    "sequential": """
        class MNISTMLP(nn.Sequential):
            def __init__(self):
                super().__init__(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(),
                    nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    """,
    "module_list": model(
        "x = x.view(x.size(0), -1)\nfor i, f in enumerate(self.fs):\n"
        "    x = f(x)\n    if i < 2:\n        x = x.clamp(min=0)\nreturn x",
        "self.fs = nn.ModuleList([nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)])",
    ),
    "by_hand": model(
        "x = x.reshape(len(x), 784)\nx = torch.relu(x @ self.w + self.v)\n"
        "return self.c(torch.relu(self.b(x)))",
        "self.w = nn.Parameter(torch.randn(784, 128) * 0.05)\n"
        "self.v = nn.Parameter(torch.zeros(128))\n"
        "self.b = nn.Linear(128, 64)\nself.c = nn.Linear(64, 10)",
    ),
    "factory": """
        def MNISTMLP():
            return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(),
                nn.Linear(128, 64), nn.ReLU(inplace=True), nn.Linear(64, 10))
    """,
    "zero_last_layer": model(
        GOOD,
        "self.a = nn.Linear(784, 128)\nself.b = nn.Linear(128, 64)\nself.c = nn.Linear(64, 10)\n"
        "nn.init.zeros_(self.c.weight)\nnn.init.zeros_(self.c.bias)",
    ),
    "dropout_and_constants": model(
        "x = (x - self.stats[0]) / self.stats[1]\nx = F.relu(self.a(x.flatten(1)))\n"
        "return self.c(self.d(F.relu(self.b(x))))",
        "self.a = nn.Linear(784, 128)\nself.b = nn.Linear(128, 64)\nself.c = nn.Linear(64, 10)\n"
        "self.d = nn.Dropout(0.2)\nself.stats = [torch.tensor(0.1307), torch.tensor(0.3081)]",
    ),
    "log_softmax": model(GOOD.replace("return ", "return F.log_softmax(") + ", dim=1)"),
    "leaky": model(GOOD.replace("F.relu", "F.leaky_relu")),
}


@pytest.mark.parametrize("style", CORRECT)
def test_correct_styles_pass(style: str) -> None:
    got = results(CORRECT[style])
    assert {k: r.message for k, r in got.items() if r.status is not Status.PASSED} == {}


BUGGY = {
    "softmax": (
        model(GOOD.replace("return ", "return F.softmax(") + ", dim=1)"),
        "softmax_before_cross_entropy",
        ["mlp_logits"],
    ),
    "sigmoid": (
        model(GOOD.replace("return ", "return torch.sigmoid(") + ")"),
        "wrong_architecture",
        ["mlp_logits"],
    ),
    "relu_at_the_end": (
        model(GOOD.replace("return ", "return F.relu(") + ")"),
        "wrong_architecture",
        ["mlp_logits"],
    ),
    "tanh_at_the_end": (
        model(GOOD.replace("return ", "return torch.tanh(") + ")"),
        "wrong_architecture",
        ["mlp_logits"],
    ),
    "no_relu": (
        model("return self.c(self.b(self.a(x.flatten(1))))"),
        "no_nonlinearity",
        ["mlp_nonlinear"],
    ),
    "first_relu_missing": (
        model("return self.c(F.relu(self.b(self.a(x.flatten(1)))))"),
        "no_nonlinearity",
        ["mlp_nonlinear"],
    ),
    "second_relu_missing": (
        model("return self.c(self.b(F.relu(self.a(x.flatten(1)))))"),
        "no_nonlinearity",
        ["mlp_nonlinear"],
    ),
    "python_list": (
        model(
            "x = x.flatten(1)\nfor f in self.fs:\n    x = f(x)\n    x = F.relu(x)\n"
            "return self.c(x)",
            "self.fs = [nn.Linear(784, 128), nn.Linear(128, 64)]\nself.c = nn.Linear(64, 10)",
        ),
        "unregistered_modules",
        ["mlp_registered"],
    ),
    "hidden_in_a_closure": (
        model(
            "return self.c(self.f(x.flatten(1)))",
            "a, b = nn.Linear(784, 128), nn.Linear(128, 64)\n"
            "self.f = lambda x: F.relu(b(F.relu(a(x))))\nself.c = nn.Linear(64, 10)",
        ),
        "unregistered_modules",
        ["mlp_registered"],
    ),
    "permuted": (
        model(GOOD.replace("x.flatten(1)", "x.permute(1, 2, 3, 0).reshape(x.shape[0], -1)")),
        "batch_mixing",
        ["mlp_rows"],
    ),
    "batch_statistics": (
        model(GOOD.replace("x.flatten(1)", "x.flatten(1) - x.flatten(1).mean(0)")),
        "batch_mixing",
        ["mlp_rows"],
    ),
    "wrong_width": (
        model(GOOD, "self.a = nn.Linear(784, 100)\nself.b = nn.Linear(100, 64)\n"
              "self.c = nn.Linear(64, 10)"),
        "wrong_architecture",
        ["mlp_shape"],
    ),
    "nine_classes": (
        model(GOOD, "self.a = nn.Linear(784, 128)\nself.b = nn.Linear(128, 64)\n"
              "self.c = nn.Linear(64, 9)"),
        "wrong_shape",
        ["mlp_shape"],
    ),
    "functional_dropout": (
        model("x = F.dropout(F.relu(self.a(x.flatten(1))), 0.5)\nreturn self.c(F.relu(self.b(x)))"),
        "dropout_always_on",
        ["mlp_rows"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BUGGY)
def test_bugs_are_named(case: str) -> None:
    source, bug, lost = BUGGY[case]
    got = results(source)
    report = {k: (str(r.status), r.bugs, r.message) for k, r in got.items()}
    assert {b for r in got.values() for b in r.bugs} == {bug}, report
    assert [k for k, r in got.items() if r.status is not Status.PASSED] == lost, report


def test_a_stub_earns_nothing_and_says_so_once() -> None:
    got = results(model("raise NotImplementedError()"))
    assert sum(r.score for r in got.values()) == 0
    assert got["mlp_shape"].status is Status.FAILED
    assert {r.status for k, r in got.items() if k != "mlp_shape"} == {Status.NOT_CHECKED}


def test_a_missing_class_is_named() -> None:
    assert results("x = 1")["mlp_shape"].bugs == ("missing_name",)


def test_the_same_checks_serve_assignment_05() -> None:
    source = """
        class MLP(nn.Module):
            def __init__(self, hidden=256):
                super().__init__()
                self.fc1, self.act = nn.Linear(784, hidden), nn.ReLU()
                self.fc2 = nn.Linear(hidden, 10)
            def forward(self, x):
                return self.fc2(self.act(self.fc1(x.flatten(1))))
    """
    got = results(source, "05-five-beats")
    assert {r.status for r in got.values()} == {Status.PASSED}
    renamed = results(source.replace("self.act", "self.relu"), "05-five-beats")
    assert renamed["mlp_shape"].bugs == ("wrong_architecture",)
