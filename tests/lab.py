"""A small correct program for assignment 05, and ways to change it; shared by several tests.

It keeps its images as tensors, so that a whole run takes a tenth of a second.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from autograder.course import config, images
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program

PROGRAM = """\
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import datasets


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


set_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def read(train):
    data = datasets.FashionMNIST("data", train=train, download=True)
    return TensorDataset(data.data[:, None] / 255.0, data.targets)


train_set, test_set = read(True), read(False)
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

Changes = tuple[tuple[str, str], ...]
ZERO = ("        optimizer.zero_grad()\n", "")
STEP = "        scaler.step(optimizer)\n        scaler.update()\n"
BACKWARD = "        scaler.scale(loss).backward()\n"
LOSS = "criterion(model(x), y)"
HEAD = "def train_one_epoch():\n    model.train()"


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
    run = ForkedRun("script", "five_beats.py", [source], digits())
    return judge_program(spec, run, list(checks))


@lru_cache(maxsize=1)
def digits() -> Path:
    """A small root of the built-in digits, for a program's own run."""
    folder = Path(tempfile.mkdtemp(prefix="five-beats-digits-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    wanted = config.DataSpec(dataset="fashion-mnist", train=600, test=300, hidden=100)
    return images.prepare(wanted, 1, None, folder).root


def lost(source: str, *checks: str) -> dict[str, tuple[str, ...]]:
    """The named checks that are not passed, with the bugs they name."""
    found = results(source, *checks)
    return {k: r.bugs for k, r in found.items() if r.status != "passed"}


def held(setup: str, *changes: tuple[str, str]) -> Changes:
    """The program with `setup` before its loop, and the loop changed to use it."""
    return ((HEAD, f"{setup}\n\n{HEAD}"), *changes)


def through(
    setup: str, net: str = "model", opt: str = "optimizer", loader: str = "train_loader"
) -> tuple[Changes, str]:
    """A program that reaches its parts by these expressions; and the line that clears."""
    clear = f"        {opt}.zero_grad()\n"
    uses = (
        (ZERO[0], clear),
        (LOSS, f"criterion({net}(x), y)"),
        ("scaler.step(optimizer)", f"scaler.step({opt})"),
        ("in train_loader:", f"in {loader}:"),
    )
    return held(setup, *uses), clear


BY_PARAMETERS = "        for p in params:\n            p.grad = None\n"
BY_NAMES = BY_PARAMETERS.replace("params:", "params.values():")
PARTS = "    net: nn.Module\n    opt: torch.optim.Optimizer\n\nrun = Run(model, optimizer)\n"
FIELDS = "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass Run:\n"
NAMED = "from typing import NamedTuple\nclass Run(NamedTuple):\n"
SLOTS = """\
class Run:
    __slots__ = ("net", "opt")
    def __init__(self, net, opt):
        self.net, self.opt = net, opt

run = Run(model, optimizer)
"""
TUPLE = """\
class Run:
    def __init__(self, *parts):
        self.parts = parts

run = Run(model, optimizer, train_loader)
"""
NESTED = """\
from dataclasses import dataclass

@dataclass
class Parts:
    net: nn.Module
    opt: torch.optim.Optimizer

@dataclass
class Setup:
    parts: Parts
    loaders: tuple

setup = Setup(Parts(model, optimizer), (train_loader, test_loader))
"""
STEPPER = """\
class Stepper:
    def __init__(self, optimizer):
        self.optimizer = optimizer

stepper = Stepper(optimizer)
"""
TRAINER = """\
class Trainer:
    def __init__(self, net, opt):
        self.net, self.opt, self.clear = net, opt, opt.zero_grad

    def update(self, x, y):
        self.clear()
        loss = criterion(self.net(x), y)
        scaler.scale(loss).backward()
        scaler.step(self.opt)
        scaler.update()
        return loss

trainer = Trainer(model, optimizer)
"""
METHODS = "clear, advance, tune = optimizer.zero_grad, scaler.step, scaler.update\n"
BEATS = f"        loss = {LOSS}\n{BACKWARD}{STEP}"
DEFAULT = "def clear(opts=(optimizer,)):\n    opts[0].zero_grad()\n"
HELD: dict[str, tuple[Changes, str]] = {
    "a list of parameters": (
        held("params = list(model.parameters())\n", (ZERO[0], BY_PARAMETERS)),
        BY_PARAMETERS,
    ),
    "a dict of parameters": (
        held("params = dict(model.named_parameters())\n", (ZERO[0], BY_NAMES)),
        BY_NAMES,
    ),
    "bound methods": (
        held(
            METHODS,
            (ZERO[0], "        clear()\n"),
            (STEP, "        advance(optimizer)\n        tune()\n"),
        ),
        "        clear()\n",
    ),
    "the default of a helper": (
        held(DEFAULT, (ZERO[0], "        clear()\n")),
        "        clear()\n",
    ),
    "a trainer": (
        held(TRAINER, (ZERO[0], ""), (BEATS, "        loss = trainer.update(x, y)\n")),
        "        self.clear()\n",
    ),
    "the model's forward": through("forward = model.forward\n", net="forward"),
    "a tuple in an object": through(TUPLE, "run.parts[0]", "run.parts[1]", "run.parts[2]"),
    "an object with slots": through(SLOTS, "run.net", "run.opt"),
    "a frozen dataclass": through(FIELDS + PARTS, "run.net", "run.opt"),
    "a SimpleNamespace": through(
        "import types\nrun = types.SimpleNamespace(net=model, opt=optimizer)\n",
        "run.net",
        "run.opt",
    ),
    "a NamedTuple": through(NAMED + PARTS, "run.net", "run.opt"),
    "a dataclass in a dataclass": through(
        NESTED, "setup.parts.net", "setup.parts.opt", "setup.loaders[0]"
    ),
    "an object of the optimizer alone": through(STEPPER, opt="stepper.optimizer"),
    "a dict of the optimizer alone": through("opts = {'main': optimizer}\n", opt="opts['main']"),
}
"""The program's parts by references that were taken before the replay puts its own in their place;
and the line that clears the gradients."""
