"""Mutual learning of two students (deep mutual learning)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def make_data(n=1000, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 16, generator=g)
    y = (x[:, 0] * x[:, 1] > 0).long() + 2 * (x[:, 2] > 0).long()
    return x, y


class Student(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 4))

    def forward(self, x):
        return self.layers(x)


class MutualTrainer:
    def __init__(self, students, lr):
        self.students = students
        self.optimizers = [torch.optim.SGD(s.parameters(), lr=lr, momentum=0.9) for s in students]

    def reset(self):
        for opt in self.optimizers:
            opt.zero_grad

    def train_batch(self, x, y):
        outs = [s(x) for s in self.students]
        self.reset()
        losses = []
        for i, o in enumerate(outs):
            other = outs[1 - i].detach()
            loss = F.cross_entropy(o, y) + F.kl_div(F.log_softmax(o, 1), F.softmax(other, 1), reduction="batchmean")
            loss.backward()
            losses.append(loss.item())
        for opt in self.optimizers:
            opt.step()
        return losses

    def evaluate(self, loader):
        hits, n = [0] * len(self.students), 0
        with torch.no_grad():
            for x, y in loader:
                n += len(y)
                for i, s in enumerate(self.students):
                    hits[i] += (s(x).argmax(1) == y).sum().item()
        return [h / n for h in hits]


if __name__ == "__main__":
    torch.manual_seed(0)
    x, y = make_data()
    train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
    test = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=100)
    trainer = MutualTrainer([Student(32), Student(64)], lr=0.05)
    for epoch in range(5):
        for xb, yb in train:
            losses = trainer.train_batch(xb, yb)
        print(epoch, losses, trainer.evaluate(test))
