"""Home-made `accumulate` context for small memory; effective batch 256 as in the reference run (SGD, lr 0.1)."""
import contextlib

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Accumulator:
    def __init__(self, optimizer, every):
        self.optimizer, self.every, self.seen = optimizer, every, 0

    @contextlib.contextmanager
    def __call__(self):
        if self.seen % self.every == 0:
            self.optimizer.zero_grad()
        yield
        self.seen += 1
        if self.seen % self.every == 0:
            self.optimizer.step()


class Highway(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        self.h = nn.ModuleList(nn.Linear(d, d) for _ in range(n))
        self.t = nn.ModuleList(nn.Linear(d, d) for _ in range(n))
        for gate in self.t:
            nn.init.constant_(gate.bias, -1.0)

    def forward(self, x):
        for h, t in zip(self.h, self.t):
            g = torch.sigmoid(t(x))
            x = g * torch.relu(h(x)) + (1 - g) * x
        return x


def main(target_batch=256, fits=32):
    torch.manual_seed(0)
    x = torch.randn(2300, 20)
    y = ((x[:, 0] * x[:, 1]).sign() + (x[:, 2] > 0)).long().clamp(0, 2)
    train = DataLoader(TensorDataset(x[:2048], y[:2048]), batch_size=fits, shuffle=True)
    model = nn.Sequential(nn.Linear(20, 48), Highway(48, 3), nn.Linear(48, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    accumulate = Accumulator(optimizer, target_batch // fits)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(6):
        total = 0.0
        for xb, yb in train:
            with accumulate():
                loss = criterion(model(xb), yb)
                loss.backward()
            total += loss.item()
        with torch.no_grad():
            acc = (model(x[2048:]).argmax(1) == y[2048:]).float().mean().item()
        print(f"epoch {epoch} loss {total / len(train):.3f} accuracy {acc:.3f}")


main()
