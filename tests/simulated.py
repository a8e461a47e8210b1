"""What the tests of the simulated accelerator share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside.accelerator import simulation

SAME = (
    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
)
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd_momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True}),
    "adam": ("Adam", {"lr": 1e-2}),
    "adam_amsgrad": ("Adam", {"lr": 1e-2, "amsgrad": True}),
    "adam_fused": ("Adam", {"lr": 1e-2, "fused": True}),
    "adamw": ("AdamW", {"lr": 1e-2, "weight_decay": 0.1}),
    "adamw_foreach": ("AdamW", {"lr": 1e-2, "foreach": True}),
    "rmsprop": ("RMSprop", {"lr": 1e-3, "momentum": 0.5}),
    "nadam": ("NAdam", {"lr": 1e-2}),  # its loop over lists of tensors rounds otherwise
}


@pytest.fixture
def ledger() -> Iterator[simulation.Ledger]:
    with simulation.accelerator() as ledger:
        yield ledger


def twice(run: Callable[[str], Any]) -> tuple[Any, Any, simulation.Ledger]:
    """What `run("cpu")` and, with the accelerator on, `run("cuda")` return; one seed."""
    torch.manual_seed(0)
    plain = run("cpu")
    torch.manual_seed(0)
    with simulation.accelerator() as ledger:
        simulated = run("cuda")
    return plain, simulated, ledger


class Perceptron(nn.Module):
    def __init__(self, norm: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(16, 12), nn.BatchNorm1d(12) if norm else nn.Identity(),
            nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 5),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.body(x)
        return out


def five_beats(
    device: str,
    optimizer: str = "sgd",
    scaler: bool = False,
    clip: bool = False,
    late: bool = False,
) -> tuple[list[float], float, dict[str, torch.Tensor]]:
    """Train two epochs with a ragged last batch; losses, accuracy, weights on the CPU."""
    x = torch.randn(50, 1, 4, 4)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, x.flatten(1)[:, :5].argmax(1)),
        batch_size=16, shuffle=True, pin_memory=device == "cuda",
    )  # fmt: skip
    model = Perceptron()
    name, options = OPTIMIZERS[optimizer]
    if not late:
        model.to(device)
    step = getattr(torch.optim, name)(model.parameters(), **options)
    if late:  # the optimizer must go on holding the same parameters
        model.to(device)
    scale = torch.amp.GradScaler("cuda", enabled=scaler and device == "cuda", init_scale=1024.0)
    losses = []
    for _ in range(2):
        model.train()
        for images, labels in loader:
            images, labels = images.to(device, non_blocking=True), labels.to(device)
            step.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            scale.scale(loss).backward()  # type: ignore[no-untyped-call]
            if clip:
                scale.unscale_(step)
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scale.step(step)
            scale.update()
            losses.append(loss.item())
    model.eval()
    hits = 0
    with torch.no_grad():
        for images, labels in loader:
            predicted = model(images.to(device)).argmax(dim=1)
            hits += int((predicted == labels.to(device)).sum().item())
    return losses, hits / 50, {k: v.cpu() for k, v in model.state_dict().items()}
