"""Toxicity from fingerprints: few rows, many bits, so it overfits; the checkpoint is meant for the lowest val loss."""
import os
import tempfile
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class History:
    train: list = field(default_factory=list)
    val: list = field(default_factory=list)


class Checkpointer:
    """Keeps the weights of the epoch with the lowest validation loss."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "best_model.pt")
        self.best = float("inf")
        self.best_epoch = -1

    def __call__(self, model, epoch, val_loss):
        if val_loss < self.best:
            self.best = val_loss
            self.best_epoch = epoch
            print(f"  new best: {val_loss:.4f}")
        torch.save(model.state_dict(), self.path)


def fingerprints(n, g):
    x = (torch.rand(n, 128, generator=g) < 0.2).float()
    y = ((x[:, :8].sum(1) + 1.2 * torch.randn(n, generator=g)) > 1.6).float()
    return x, y


def main():
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(0)
    (x, y), (xv, yv) = fingerprints(160, g), fingerprints(300, g)
    net = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    loss_fn, hist = nn.BCEWithLogitsLoss(), History()
    with tempfile.TemporaryDirectory() as folder:
        keep = Checkpointer(folder)
        for epoch in range(15):
            net.train()
            for idx in torch.randperm(160).split(20):
                opt.zero_grad()
                loss = loss_fn(net(x[idx]), y[idx])
                loss.backward()
                opt.step()
            net.eval()
            with torch.no_grad():
                hist.train.append(loss_fn(net(x), y).item())
                hist.val.append(loss_fn(net(xv), yv).item())
            print(f"{epoch:2d} train {hist.train[-1]:.4f} val {hist.val[-1]:.4f}")
            keep(net, epoch, hist.val[-1])
        net.load_state_dict(torch.load(keep.path))
        net.eval()
        with torch.no_grad():
            print("restored epoch", keep.best_epoch, "val loss", loss_fn(net(xv), yv).item())


main()
