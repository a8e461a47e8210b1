"""Each part draws its own permutation of the same rows."""
import torch
from torch import nn


def part(X, y, share, seed):
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))[:int(share * len(X))]
    return X[rows], y[rows]


torch.manual_seed(0)
X = torch.randn(300, 10)
y = (X[:, :2].sum(1) + 0.5 * torch.randn(300) > 0).long()
Xtr, ytr = part(X, y, 0.8, seed=1)
Xte, yte = part(X, y, 0.2, seed=2)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(8):
    for i in torch.randperm(len(Xtr)).split(24):
        opt.zero_grad()
        nn.functional.cross_entropy(net(Xtr[i]), ytr[i]).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, (net(Xte).argmax(1) == yte).float().mean().item())
