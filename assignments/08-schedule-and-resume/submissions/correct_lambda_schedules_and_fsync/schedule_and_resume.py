"""Schedules as functions of the step, gradients as one vector, a checkpoint forced to the disk."""

import io
import os
import tempfile
from contextlib import suppress
from functools import partial, reduce
from math import cos, pi, sqrt
from pathlib import Path

import torch
from torch.optim import lr_scheduler as schedules


def lr_at(step, total, base_lr, warmup):
    rising = (step + 1) / max(1, warmup)
    falling = (1 + cos(pi * (step - warmup) / (total - warmup))) / 2
    return float(base_lr * (rising if step < warmup else falling))


def _by_thirds(third, epoch):
    return 0.1 ** (epoch // third)


def _half_cosine(epochs, epoch):
    return 0.5 + 0.5 * cos(pi * epoch / epochs)


def make_scheduler(name, optimizer, epochs, steps_per_epoch):
    match name:
        case "step":
            return schedules.LambdaLR(optimizer, partial(_by_thirds, epochs // 3))
        case "cosine":
            return schedules.LambdaLR(optimizer, partial(_half_cosine, epochs))
        case "one-cycle":
            tops = [group["lr"] for group in optimizer.param_groups]
            return schedules.OneCycleLR(
                optimizer, tops, epochs=epochs, steps_per_epoch=steps_per_epoch
            )
    raise ValueError(f"no schedule is called {name!r}")


def train_epoch(model, dataloader, loss_fn, optimizer, scheduler, per_batch):
    taken = []

    def closure(images, labels):
        optimizer.zero_grad(set_to_none=False)
        value = loss_fn(model(images), labels)
        value.backward()
        return value

    for images, labels in dataloader:
        taken += [group["lr"] for group in optimizer.param_groups[:1]]
        optimizer.step(partial(closure, images, labels))
        if per_batch:
            scheduler.step()
    if not per_batch:
        scheduler.step()
    return [float(rate) for rate in taken]


def _gradients(model):
    return [p.grad for p in model.parameters() if p.grad is not None]


def clip_gradients(model, max_norm):
    grads = _gradients(model)
    norm = sqrt(sum(float(g.detach().double().pow(2).sum()) for g in grads))
    if norm > max_norm:
        torch._foreach_mul_(grads, max_norm / norm)
    return norm


def train_amp_step(model, batch, loss_fn, optimizer, scaler, max_norm):
    images, labels = batch
    for p in model.parameters():
        p.grad = None
    value = loss_fn(model(images), labels)
    scaler.scale(value).backward()
    scaler.unscale_(optimizer)
    finite = all(bool(g.isfinite().all()) for g in _gradients(model))
    if finite:
        clip_gradients(model, max_norm)
    scaler.step(optimizer)
    scaler.update()
    return float(value.detach())


def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
    optimizer.zero_grad()
    values = []
    for images, labels in batches:
        values.append(loss_fn(model(images), labels))
        (values[-1] / len(batches)).backward()
    clip_gradients(model, max_norm)
    optimizer.step()
    return reduce(lambda a, b: a + b.item(), values, 0.0) / len(values)


PARTS = ("model", "optimizer", "scheduler")


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    things = dict(zip(PARTS, (model, optimizer, scheduler), strict=True))
    held = io.BytesIO()
    told = {name: thing.state_dict() for name, thing in things.items()}
    torch.save({**told, "done": epoch, "random": torch.random.get_rng_state()}, held)
    where = Path(path).resolve()
    number, name = tempfile.mkstemp(dir=where.parent, prefix=where.name, suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(held.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(where)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def load_checkpoint(path, model, optimizer, scheduler):
    with open(path, "rb") as file:
        told = torch.load(file, map_location="cpu", weights_only=True)
    for name, thing in zip(PARTS, (model, optimizer, scheduler), strict=True):
        thing.load_state_dict(told[name])
    torch.random.set_rng_state(told["random"])
    return int(told["done"])
