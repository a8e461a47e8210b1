"""A loop over steps with random batches; every so often a few batches of each split are scored by one function."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(600, 4)
y = (x[:, 0] * x[:, 1] > 0).long()
order = torch.randperm(600)
splits = {"train": order[:500], "val": order[500:]}
model = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 2))
opt = torch.optim.AdamW(model.parameters(), lr=5e-3)


def batch(split):
    rows = splits[split][torch.randint(len(splits[split]), (25,))]
    return x[rows], y[rows]


@torch.no_grad()
def estimate():
    model.eval()
    found = {}
    for split in splits:
        losses = [nn.functional.cross_entropy(model(a), b).item() for a, b in (batch(split) for _ in range(8))]
        found[split] = sum(losses) / len(losses)
    model.train()
    return found


for step in range(160):
    if step % 40 == 0:
        print(step, estimate())
    a, b = batch("train")
    opt.zero_grad()
    nn.functional.cross_entropy(model(a), b).backward()
    opt.step()
