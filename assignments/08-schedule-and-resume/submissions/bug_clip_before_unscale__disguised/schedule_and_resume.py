"""Schedule and resume, with the state of a run in one class."""
from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, MultiStepLR, CosineAnnealingLR, OneCycleLR

Batch = tuple[Tensor, Tensor]


class WarmCosine:
    def __init__(self, total: int, base_lr: float, warmup: int) -> None:
        self.total, self.base, self.warmup = total, base_lr, warmup

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return self.base * (1 + step) / self.warmup
        angle = math.pi * (step - self.warmup) / (self.total - self.warmup)
        return self.base * (0.5 + 0.5 * math.cos(angle))


def lr_at(step: int, total: int, base_lr: float, warmup: int) -> float:
    return WarmCosine(total, base_lr, warmup)(step)


def make_scheduler(name: str, optimizer: Optimizer, epochs: int, steps_per_epoch: int) -> LRScheduler:
    match name:
        case "step":
            third = epochs // 3
            return MultiStepLR(optimizer, milestones=[third, 2 * third])
        case "cosine":
            return CosineAnnealingLR(optimizer, epochs, eta_min=0.0)
        case "one-cycle":
            (group,) = optimizer.param_groups
            return OneCycleLR(optimizer, group["lr"], epochs * steps_per_epoch)
        case _:
            raise ValueError(name)


class Trainer:
    def __init__(self, model: nn.Module, loss_fn, optimizer: Optimizer, max_norm: float | None = None):
        self.model, self.loss_fn, self.optimizer, self.max_norm = model, loss_fn, optimizer, max_norm

    @property
    def rate(self) -> float:
        return self.optimizer.param_groups[0]["lr"]

    def backward(self, batch: Batch, share: float = 1.0) -> float:
        x, y = batch
        loss = self.loss_fn(self.model(x), y)
        (share * loss).backward()
        return float(loss.detach())

    def clear(self) -> None:
        for p in self.model.parameters():
            p.grad = None

    def update(self) -> None:
        if self.max_norm is not None:
            clip_gradients(self.model, self.max_norm)
        self.optimizer.step()


def train_epoch(model, dataloader: Iterable[Batch], loss_fn, optimizer, scheduler, per_batch) -> list[float]:
    trainer, rates = Trainer(model, loss_fn, optimizer), []
    for batch in dataloader:
        if rates and per_batch:
            scheduler.step()
        trainer.clear()
        trainer.backward(batch)
        rates.append(trainer.rate)
        trainer.update()
    scheduler.step()
    return rates


def clip_gradients(model: nn.Module, max_norm: float) -> float:
    with_gradient = [p for p in model.parameters() if p.grad is not None]
    norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in with_gradient))
    factor = min(1.0, max_norm / (norm + 1e-6))
    for p in with_gradient:
        p.grad = p.grad * factor
    return norm


def train_amp_step(model, batch, loss_fn, optimizer, scaler, max_norm) -> float:
    images, labels = batch
    loss = loss_fn(model(images), labels)
    Trainer(model, loss_fn, optimizer).clear()
    scaled = scaler.scale(loss)
    scaled.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=max_norm, norm_type=2.0)
    scaler.step(optimizer)
    scaler.update()
    return float(loss.detach())


def accumulate_step(model, batches, loss_fn, optimizer, max_norm) -> float:
    trainer = Trainer(model, loss_fn, optimizer, max_norm)
    trainer.clear()
    losses = [trainer.backward(batch, share=1 / len(batches)) for batch in batches]
    trainer.update()
    return sum(losses) / len(losses)


def save_checkpoint(path, model, optimizer, scheduler, epoch) -> None:
    tensors = {f"model/{k}": v.contiguous() for k, v in model.state_dict().items()}
    state = optimizer.state_dict()
    for index, slots in state["state"].items():
        for slot, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{slot}"] = value
    tensors["random"] = torch.get_rng_state()
    told = {
        "groups": json.dumps(state["param_groups"]),
        "scheduler": json.dumps(scheduler.state_dict()),
        "epoch": str(epoch),
    }
    partial = f"{path}.partial"
    save_file(tensors, partial, metadata=told)
    os.rename(partial, path)


def load_checkpoint(path, model, optimizer, scheduler) -> int:
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    model.load_state_dict({k.removeprefix("model/"): v for k, v in tensors.items() if k.startswith("model/")})
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer/"):
            _, index, slot = key.split("/")
            state.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": state, "param_groups": json.loads(told["groups"])})
    scheduler.load_state_dict(json.loads(told["scheduler"]))
    torch.set_rng_state(tensors["random"])
    return int(told["epoch"])
