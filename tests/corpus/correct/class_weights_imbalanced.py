"""Rare classes weigh more: weights from the counts of the training labels."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
counts = [300, 60, 15]
ys = torch.cat([torch.full((n,), c) for c, n in enumerate(counts)])
xs = torch.randn(len(ys), 4) + ys.unsqueeze(1) * 1.5
perm = torch.randperm(len(ys))
xs, ys = xs[perm], ys[perm]
train, test = TensorDataset(xs[:300], ys[:300]), TensorDataset(xs[300:], ys[300:])
freq = torch.bincount(ys[:300], minlength=3).float()
loss_fn = nn.CrossEntropyLoss(weight=freq.sum() / (3 * freq))
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(8):
    for x, y in DataLoader(train, batch_size=30, shuffle=True):
        opt.zero_grad(set_to_none=True)
        loss_fn(model(x), y).backward()
        opt.step()
recall_hits, recall_n = torch.zeros(3), torch.zeros(3)
with torch.no_grad():
    for x, y in DataLoader(test, batch_size=25):
        p = model(x).argmax(1)
        for c in range(3):
            recall_n[c] += (y == c).sum()
            recall_hits[c] += ((p == c) & (y == c)).sum()
print("recall per class", (recall_hits / recall_n).tolist())
