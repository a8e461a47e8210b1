import math
import os

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR

# Task 1
def lr_at(step, total, base_lr, warmup):
    if step < warmup:
        return base_lr * (step + 1) / warmup
    p = (step - warmup) / (total - warmup)
    return base_lr * (1 + math.cos(math.pi * p)) / 2

# Task 2
def make_scheduler(name, optimizer, epochs, steps_per_epoch):
    if name == "step":
        return StepLR(optimizer, step_size=epochs // 3, gamma=0.1)
    elif name == "one-cycle":
        max_lr = optimizer.param_groups[0]["lr"]
        return OneCycleLR(optimizer, max_lr=max_lr, epochs=epochs, steps_per_epoch=steps_per_epoch)
    else:
        return CosineAnnealingLR(optimizer, T_max=epochs)


def train_epoch(model, dataloader, loss_fn, optimizer, scheduler, per_batch):
    rates = []
    for images, labels in dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if per_batch:
            scheduler.step()
    if not per_batch:
        scheduler.step()
    return rates

# Task 3
def clip_gradients(model, max_norm):
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return norm.item()

# Task 4
def train_amp_step(model, batch, loss_fn, optimizer, scaler, max_norm):
    images, labels = batch
    optimizer.zero_grad()
    outputs = model(images)
    loss = loss_fn(outputs, labels)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    clip_gradients(model, max_norm)
    scaler.step(optimizer)
    scaler.update()
    return loss.item()


def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
    optimizer.zero_grad()
    total = 0.0
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        (loss / len(batches)).backward()
        total += loss.item()
    clip_gradients(model, max_norm)
    optimizer.step()
    return total / len(batches)

# Tasks 5 and 6
def save_checkpoint(path, model, optimizer, scheduler, epoch):
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "rng": torch.get_rng_state(),
    }
    temporary = path + ".tmp"
    torch.save(checkpoint, temporary)
    os.replace(temporary, path)


def load_checkpoint(path, model, optimizer, scheduler):
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    return checkpoint["epoch"]

if __name__ == "__main__":
    print([round(lr_at(s, 12, 0.1, 4), 4) for s in range(12)])
