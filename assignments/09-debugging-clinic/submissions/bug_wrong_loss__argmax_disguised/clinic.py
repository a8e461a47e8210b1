from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn


class Loop:
    """Five beats, for whoever needs them."""

    def __init__(self, model, loss_fn, optimizer, device=None):
        self.model, self.loss_fn, self.optimizer, self.device = model, loss_fn, optimizer, device
        self.total, self.seen = 0.0, 0

    def beat(self, images, labels):
        if self.device is not None:
            images, labels = (t.to(self.device, non_blocking=True) for t in (images, labels))
        loss = self.loss_fn(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.total += float(loss.detach()) * labels.numel()
        self.seen += labels.numel()

    def epoch(self, loader):
        self.model.train(True)
        self.optimizer.zero_grad()
        for images, labels in loader:
            self.beat(images, labels)
        return self.total / self.seen


def epoch_1(model, loader, loss_fn, optimizer):
    return Loop(model, loss_fn, optimizer).epoch(loader)


def loss_2(logits: Tensor, labels: Tensor) -> Tensor:
    return nn.L1Loss()(logits.max(1).indices.double(), labels.double())


def epoch_3(model, loader, loss_fn, optimizer, device):
    return Loop(model, loss_fn, optimizer, device).epoch(loader)


@torch.inference_mode()
def accuracy(model, loader):
    was = model.training
    model.eval()
    right = [(model(x).argmax(1) == y).numpy() for x, y in loader]
    model.train(was)
    return float(np.concatenate(right).mean())


def fit_4(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    accuracies = []
    for _ in range(epochs):
        Loop(model, loss_fn, optimizer).epoch(train_loader)
        accuracies.append(accuracy(model, val_loader))
    return accuracies


def optimizer_5(model):
    return torch.optim.AdamW(model.parameters(), lr=3e-3)


def optimizer_6(model):
    return torch.optim.Adam(model.parameters(), lr=5e-3)


def evaluate_7(model, loader):
    return accuracy(model, loader)


class Net_8(nn.Sequential):
    def __init__(self, width=200):
        super().__init__(nn.Flatten(1), nn.Linear(28 * 28, width), nn.ReLU(), nn.Linear(width, 10))


@dataclass
class Record:
    step: int
    loss: float
    grad_norm: float
    largest: str


def black_box(model, batches, loss_fn, optimizer):
    model.train()
    records = []
    for step, (images, labels) in enumerate(batches, start=1):
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        norms = {n: float(p.grad.norm()) for n, p in model.named_parameters() if p.grad is not None}
        total = float(np.linalg.norm(list(norms.values())))
        records.append(asdict(Record(step, float(loss.detach()), total, max(norms, key=norms.__getitem__))))
        optimizer.step()
    return records


def first_bad(records, factor=10.0):
    norms = [r["grad_norm"] for r in records]
    bad = (k for k in range(3, len(norms)) if norms[k] > factor * statistics.median(norms[:k]))
    k = next(bad, None)
    return None if k is None else records[k]["step"]


def shapes(model, x):
    seen = []
    with ExitStack() as stack, torch.no_grad():
        for module in model.modules():
            if next(module.children(), None) is None:
                handle = module.register_forward_hook(
                    lambda m, i, o: seen.append([type(m).__name__, list(o.shape)])
                )
                stack.callback(handle.remove)
        model(x)
    return seen


DIAGNOSIS = {
    1: "missing_zero_grad",
    2: "wrong_loss",
    3: "wrong_device",
    4: "missing_train_mode",
    5: "lr_too_high",
    6: "lr_too_low",
    7: "missing_no_grad",
    8: "wrong_shape",
}
CULPRIT_STEP = 47
CULPRIT = "a batch"
