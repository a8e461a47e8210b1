"""Whole programs and their files on the simulated accelerator."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.course import images
from autograder.course.config import DataSpec
from autograder.inside import torchvision_compat
from autograder.inside.accelerator import simulation
from tests.simulated import SAME, Perceptron


def test_what_is_saved_is_plain_and_what_is_loaded_goes_where_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.manual_seed(0)
    with simulation.accelerator():
        model = Perceptron().cuda()
        optimizer = torch.optim.Adam(model.parameters())
        model(torch.randn(4, 16).cuda()).sum().backward()
        optimizer.step()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
        expected = {k: v.cpu() for k, v in model.state_dict().items()}
        for place in ("cuda", torch.device("cuda"), "cuda:0"):
            loaded = torch.load(path, map_location=place, weights_only=True)
            assert all(v.is_cuda for v in loaded["model"].values())
        fresh = Perceptron().to("cuda")
        fresh.load_state_dict(torch.load(path, weights_only=True)["model"])
        assert all(torch.equal(v.cpu(), expected[k]) for k, v in fresh.state_dict().items())
        optimizer.load_state_dict(torch.load(path, map_location="cpu")["optimizer"])
        optimizer.step()
        whole = io.BytesIO()
        torch.save(model, whole)
        whole.seek(0)
        assert not next(torch.load(whole, weights_only=False).parameters()).is_cuda
    plain = torch.load(path, weights_only=True)["model"]
    assert all(v.device.type == "cpu" for v in plain.values())
    assert all(torch.equal(v, expected[k]) for k, v in plain.items())


SCRIPT = """
import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

def set_seed(seed):
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)

set_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
pin = device.type == "cuda"
to_tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=to_tensor)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=to_tensor)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True, pin_memory=pin)
test_loader = DataLoader(test_set, batch_size=100, pin_memory=pin)

class MLP(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10)
    def forward(self, x):
        return self.fc2(self.act(self.fc1(x.flatten(1))))

model = MLP()MODEL
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
use_amp = AMP and device.type == "cuda"

def train_one_epoch():
    model.train()
    total = 0.0
    for images, labels in train_loader:
        images = imagesIMAGES
        labels = labelsLABELS
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device_type=device.type, dtype=torch.float16, enabled=use_amp):
            loss = criterion(model(images), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(images)
    return total / len(train_loader.dataset)

@torch.no_grad()
def evaluate():
    model.eval()
    hits = 0
    for images, labels in test_loader:
        images, labels = images.to(device), labels.to(device)
        hits += (model(images).argmax(1) == labels).sum().item()
    return hits / len(test_loader.dataset)

best_acc, figures = 0.0, []
for epoch in range(2):
    loss, acc = train_one_epoch(), evaluate()
    figures.append((loss, acc))
    print(f"epoch {epoch}: {loss:.4f} {acc:.4f}")
    if acc > best_acc:
        best_acc = acc
        torch.save(model.state_dict(), "best_mlp.pt")
model.load_state_dict(torch.load("best_mlp.pt", map_location=device, weights_only=True))
again = evaluate()
weights = model.fc1.weight.detach().cpu().numpy()
"""
MOVE = {"MODEL": ".to(device)", "IMAGES": ".to(device, non_blocking=pin)", "LABELS": ".to(device)"}


def run_script(changed: dict[str, str] | None = None, *, amp: bool = False) -> dict[str, Any]:
    """The globals of the lab's program, run in the current folder; `changed` undoes a move."""
    text = SCRIPT.replace("AMP", str(amp))
    for name, move in {**MOVE, **(changed or {})}.items():
        text = text.replace(name, move)
    found: dict[str, Any] = {"__name__": "five_beats"}
    exec(compile(text, "five_beats.py", "exec"), found)
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torchvision_compat.declare()
    spec = DataSpec(dataset="fashion-mnist", train=200, test=100, hidden=50)
    prepared = images.prepare(spec, 0, None, tmp_path / "cache")
    (tmp_path / "data").symlink_to(prepared.root)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_labs_program_runs_as_on_a_gpu(home: Path) -> None:
    plain = run_script()
    with simulation.accelerator() as ledger:
        simulated = run_script()
        assert simulated["device"].type == "cuda"
        assert simulated["scaler"].is_enabled()
        assert next(simulated["model"].parameters()).is_cuda
        assert simulated["weights"].shape == (32, 784)
        figures = simulated["figures"]
    assert figures == plain["figures"]
    assert simulated["again"] == simulated["best_acc"] == plain["best_acc"]
    assert ledger.moved >= 2 * (4 + 1) * 2
    assert not ledger.mixes
    assert not ledger.unsupported
    state = torch.load(home / "best_mlp.pt", weights_only=True)
    assert {v.device.type for v in state.values()} == {"cpu"}


def test_the_labs_program_in_mixed_precision(home: Path) -> None:
    plain = run_script()
    with simulation.accelerator():
        simulated = run_script(amp=True)
    for (loss, accuracy), (near, also) in zip(plain["figures"], simulated["figures"], strict=True):
        assert near != loss
        assert near == pytest.approx(loss, rel=0.02)
        assert also == pytest.approx(accuracy, abs=0.05)


@pytest.mark.parametrize("forgotten", ["MODEL", "IMAGES", "LABELS"])
def test_the_labs_program_with_one_move_forgotten(forgotten: str, home: Path) -> None:
    run_script({forgotten: ""})  # on a CPU nobody would notice
    with simulation.accelerator() as ledger:
        with pytest.raises(RuntimeError) as caught:
            run_script({forgotten: ""})
        assert str(caught.value).startswith(SAME)
        assert ledger.mixes == [str(caught.value)]
