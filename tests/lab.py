"""A small correct program for assignment 05, and ways to change it; shared by several tests.

Its images are random and few, so that a whole run takes a tenth of a second.
"""

from __future__ import annotations

from functools import lru_cache

from autograder import config
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program

PROGRAM = """\
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


set_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
fixed = torch.Generator().manual_seed(1)
images, labels = torch.rand(1000, 1, 28, 28, generator=fixed), torch.arange(1000) % 10
train_set, test_set = TensorDataset(images, labels), TensorDataset(images[:300], labels[:300])
train_loader = DataLoader(train_set, batch_size=128, shuffle=True)
test_loader = DataLoader(test_set, batch_size=256)


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x.flatten(1))))


model = MLP().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")


def train_one_epoch():
    model.train()
    total = 0.0
    for x, y in train_loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(y)
    return total / len(train_loader.dataset)


@torch.no_grad()
def evaluate():
    model.eval()
    right = 0
    for x, y in test_loader:
        x, y = x.to(device), y.to(device)
        right += (model(x).argmax(1) == y).sum().item()
    return right / len(test_loader.dataset)


best_acc = 0.0
for epoch in range(3):
    loss = train_one_epoch()
    acc = evaluate()
    if acc > best_acc:
        best_acc = acc
        torch.save(model.state_dict(), "best_mlp.pt")
"""


def changed(*changes: tuple[str, str], base: str = PROGRAM) -> str:
    """The program with each `(old, new)` replaced; every `old` must be there."""
    for old, new in changes:
        assert old in base, old
        base = base.replace(old, new)
    return base


@lru_cache(maxsize=256)
def results(source: str, *checks: str) -> dict[str, CheckResult]:
    """What the named checks of assignment 05 say of a script, by check id."""
    spec = config.assignment(ROOT / "assignments" / "05-five-beats" / "assignment.yml")
    return judge_program(spec, ForkedRun("script", "five_beats.py", [source]), list(checks))


def lost(source: str, *checks: str) -> dict[str, tuple[str, ...]]:
    """The named checks that are not passed, with the bugs they name."""
    found = results(source, *checks)
    return {k: r.bugs for k, r in found.items() if r.status != "passed"}
