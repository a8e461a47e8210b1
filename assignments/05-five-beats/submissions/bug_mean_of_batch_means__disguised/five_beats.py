"""five_beats.py

The images are turned into tensors once, at the start; reading them one by one through PIL
took longer than the training itself.
"""
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import FashionMNIST


def set_seed(seed):
    for seeder in (random.seed, np.random.seed, torch.manual_seed):
        seeder(seed)


set_seed(31)

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def as_tensors(train):
    raw = FashionMNIST("data", train=train, download=True)
    pixels = raw.data.unsqueeze(1).float() / 255
    return TensorDataset(pixels, raw.targets)


train_loader = DataLoader(as_tensors(True), batch_size=128, shuffle=True)
test_loader = DataLoader(as_tensors(False), batch_size=256, shuffle=False)


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.hidden = hidden
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        assert x.ndim == 4, "expects a batch of images"
        x = x.reshape(len(x), -1)
        x = self.fc1(x)
        x = self.act(x)
        x = self.fc2(x)
        return x


model = MLP(hidden=256).to(device)
criterion = nn.CrossEntropyLoss(reduction="mean")
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=device.type != "cpu")


def train_one_epoch():
    model.train()
    batch_losses = []
    for pixels, label in train_loader:
        pixels, label = pixels.to(device), label.to(device)
        optimizer.zero_grad()
        scores = model(pixels)
        loss = criterion(scores, label)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        batch_losses.append(loss.item())
    return float(np.mean(batch_losses))


def evaluate():
    model.eval()
    hits = []
    with torch.no_grad():
        for pixels, label in test_loader:
            pixels, label = pixels.to(device), label.to(device)
            scores = model(pixels)
            hits.extend((scores.argmax(1) == label).tolist())
    return sum(hits) / len(hits)


history = []
best_acc = 0.0
for epoch in range(1, 4):
    history.append((train_one_epoch(), evaluate()))
    print(f"epoch {epoch}: loss {history[-1][0]:.3f}, accuracy {history[-1][1]:.3f}")
    if history[-1][1] > best_acc:
        best_acc = history[-1][1]
        torch.save(model.state_dict(), "best_mlp.pt")
