"""Pool-based active learning: a fresh network each round, margin sampling, a fixed test set."""
from typing import Iterator

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset


def make_blobs(n: int) -> TensorDataset:
    y = torch.randint(0, 5, (n,))
    angle = y * 1.2566 + 0.25 * torch.randn(n)
    r = 2 + 0.5 * torch.randn(n)
    return TensorDataset(torch.stack([r * angle.cos(), r * angle.sin(), torch.randn(n)], 1), y)


class Oracle:
    def __init__(self, pool: TensorDataset, start: int):
        order = torch.randperm(len(pool)).tolist()
        self.pool, self.labelled, self.unlabelled = pool, order[:start], order[start:]

    def reveal(self, positions: list[int]) -> None:
        chosen = {self.unlabelled[p] for p in positions}
        self.labelled += sorted(chosen)
        self.unlabelled = [i for i in self.unlabelled if i not in chosen]


def fresh() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 5))


def fit(model: nn.Module, data: Subset) -> None:
    opt = torch.optim.Adam(model.parameters(), 1e-2)
    model.train()
    for _ in range(15):
        for x, y in DataLoader(data, 10, shuffle=True):
            opt.zero_grad()
            F.cross_entropy(model(x), y).backward()
            opt.step()


def logits(model: nn.Module, data) -> Iterator[torch.Tensor]:
    model.eval()
    with torch.no_grad():
        for x, _ in DataLoader(data, 200):
            yield model(x)


torch.manual_seed(6)
oracle, test = Oracle(make_blobs(600), 20), make_blobs(400)
for round_ in range(5):
    model = fresh()
    fit(model, Subset(oracle.pool, oracle.labelled))
    acc = (torch.cat(list(logits(model, test))).argmax(1) == test.tensors[1]).float().mean().item()
    print(f"round {round_}: {len(oracle.labelled)} labels, accuracy {acc:.3f}")
    top = torch.cat(list(logits(model, Subset(oracle.pool, oracle.unlabelled)))).softmax(1).topk(2, 1).values
    oracle.reveal((top[:, 0] - top[:, 1]).argsort()[:20].tolist())
