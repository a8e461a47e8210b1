"""A correct bare script for assignment 06, and ways to change it; shared by several tests."""

from __future__ import annotations

from functools import lru_cache

from autograder.course import config
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program

PROGRAM = """\
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import datasets

net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.01)
        nn.init.zeros_(m.bias)


net.apply(init_weights)
train = datasets.FashionMNIST("data", train=True, download=True)
test = datasets.FashionMNIST("data", train=False, download=True)
images, labels = train.data[:, None] / 255.0, train.targets
test_images, test_labels = test.data[:, None] / 255.0, test.targets
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(10):
    order = torch.randperm(len(images))
    for part in order.split(256):
        x, y = images[part], labels[part]
        optimizer.zero_grad()
        loss = loss_fn(net(x), y)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
with torch.no_grad():
    right = sum(
        (net(x).argmax(1) == y).sum().item()
        for x, y in zip(test_images.split(256), test_labels.split(256))
    )
print(f"test accuracy {right / len(test_labels):.4f}")
"""

CHECKS = (
    "init", "batch", "shuffled", "runs", "zero_grad", "beats", "objective", "graphs", "rate",
    "epochs", "no_grad", "printed",
)  # fmt: skip


def changed(*changes: tuple[str, str], base: str = PROGRAM) -> str:
    """The program with each `(old, new)` replaced; every `old` must be there."""
    for old, new in changes:
        assert old in base, old
        base = base.replace(old, new)
    return base


@lru_cache(maxsize=256)
def results(source: str, *checks: str, kind: str = "script") -> dict[str, CheckResult]:
    """What the named checks of assignment 06 (those of its one run by default) say of a script,
    or of a notebook whose cells are divided by lines of `# %%`.
    """
    spec = config.assignment(ROOT / "assignments" / "06-line-by-line" / "assignment.yml")
    cells = source.split("# %%\n") if kind == "notebook" else [source]
    run = ForkedRun(kind, "line_by_line.py", cells)
    return judge_program(spec, run, list(checks or CHECKS))


def lost(source: str, *checks: str) -> dict[str, tuple[str, ...]]:
    """The named checks that are not passed, with the bugs they name."""
    found = results(source, *checks)
    return {k: r.bugs for k, r in found.items() if r.status != "passed"}
