"""Five beats.

The best weights are cloned in memory, put back into the model at the end and written to a
temporary file that then takes the checkpoint's place, so that a crash never leaves half a file.
"""
from __future__ import annotations

import os
import random
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


@dataclass(frozen=True)
class Config:
    seed: int = 11
    epochs: int = 3
    batch_train: int = 128
    batch_test: int = 256
    lr: float = 1e-3
    smoothing: float = 0.05
    checkpoint: str = "best_mlp.pt"


cfg = Config()
print(asdict(cfg))


def set_seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


set_seed(cfg.seed)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

splits = {
    train: datasets.FashionMNIST("data", train=train, download=True, transform=transforms.ToTensor())
    for train in (True, False)
}
train_loader = DataLoader(splits[True], batch_size=cfg.batch_train, shuffle=True)
test_loader = DataLoader(splits[False], batch_size=cfg.batch_test)


class MLP(nn.Module):
    def __init__(self, hidden: int = 256):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10)

    def forward(self, x):
        return nn.Sequential(nn.Flatten(), self.fc1, self.act, self.fc2)(x)


class Mean:
    """A running mean over samples."""

    def __init__(self):
        self.sum, self.count = 0.0, 0

    def add(self, value: float, n: int) -> None:
        self.sum += value * n
        self.count += n

    def __float__(self) -> float:
        return self.sum / self.count


model = MLP().to(device)
criterion = nn.CrossEntropyLoss(label_smoothing=cfg.smoothing)
optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.lr)
scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")


def train_one_epoch() -> float:
    model.train()
    mean = Mean()
    batches = iter(train_loader)
    while True:
        try:
            x, y = next(batches)
        except StopIteration:
            break
        x, y = x.to(device), y.to(device)
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        mean.add(loss.item(), len(y))
    return float(mean)


def evaluate() -> float:
    model.eval()
    mean = Mean()
    with torch.no_grad():
        for x, y in test_loader:
            right = model(x.to(device)).argmax(1) == y.to(device)
            mean.add(right.float().mean().item(), len(y))
    return float(mean)


best_acc, best_weights = -1.0, {}
for epoch in range(1, cfg.epochs + 1):
    loss = train_one_epoch()
    acc = evaluate()
    print(f"epoch {epoch}: loss {loss:.4f} acc {acc:.4f}")
    if acc > best_acc:
        best_acc = acc
        best_weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

model.load_state_dict(best_weights)
torch.save(model.state_dict(), cfg.checkpoint + ".tmp")
os.replace(cfg.checkpoint + ".tmp", cfg.checkpoint)
