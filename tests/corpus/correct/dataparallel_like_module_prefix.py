"""A wrapper with .module (as DataParallel has), resume with every state, best and last kept apart."""
import copy
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class ScatterGather(nn.Module):
    """Splits the batch, runs the replicas one after the other, gathers."""

    def __init__(self, module, chunks=2):
        super().__init__()
        self.module, self.chunks = module, chunks

    def forward(self, x):
        return torch.cat([self.module(part) for part in x.chunk(self.chunks)])


def unwrap(model):
    return model.module if hasattr(model, "module") else model


def save(path, model, opt, sched, epoch, best):
    torch.save({"state_dict": unwrap(model).state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict(), "epoch": epoch, "best": best, "rng": torch.get_rng_state()}, path)


def build():
    net = nn.Sequential(nn.Linear(11, 40), nn.LayerNorm(40), nn.ReLU(), nn.Dropout(0.1), nn.Linear(40, 3))
    model = ScatterGather(net)
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    return model, opt, torch.optim.lr_scheduler.MultiStepLR(opt, [4, 7], 0.2)


def main(resume=None, until=5):
    model, opt, sched = build()
    start, best = 0, 0.0
    if resume:
        ck = torch.load(resume)
        unwrap(model).load_state_dict(ck["state_dict"])
        opt.load_state_dict(ck["opt"])
        sched.load_state_dict(ck["sched"])
        start, best = ck["epoch"], ck["best"]
        torch.set_rng_state(ck["rng"])
    for epoch in range(start, until):
        model.train()
        for a, b in train:
            opt.zero_grad()
            nn.functional.cross_entropy(model(a), b).backward()
            opt.step()
        sched.step()
        model.eval()
        with torch.no_grad():
            acc = sum((model(a).argmax(1) == b).sum().item() for a, b in val) / len(val.dataset)
        is_best, best = acc > best, max(acc, best)
        save(out / "last.pth", model, opt, sched, epoch + 1, best)
        if is_best:
            save(out / "best.pth", model, opt, sched, epoch + 1, best)
        print(f"epoch {epoch} acc {acc:.3f} best {best:.3f} lr {opt.param_groups[0]['lr']:.4f}")


out = Path("checkpoints")
out.mkdir(exist_ok=True)
torch.manual_seed(3)
np.random.seed(3)
w = torch.randn(11, 3)
x = torch.randn(1000, 11)
y = (torch.sin(x) @ w).argmax(1)
train, val = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True), DataLoader(TensorDataset(x[800:], y[800:]), 64)
main(until=4)
main(resume=out / "last.pth", until=9)
