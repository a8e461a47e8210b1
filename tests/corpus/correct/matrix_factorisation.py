"""Ratings from user and item vectors: embeddings, biases, dot products; no activation belongs here."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class DotProductBias(nn.Module):
    def __init__(self, users, items, k=6):
        super().__init__()
        self.u, self.ub = nn.Embedding(users, k), nn.Embedding(users, 1)
        self.i, self.ib = nn.Embedding(items, k), nn.Embedding(items, 1)
        for e in (self.u, self.i):
            nn.init.normal_(e.weight, std=0.1)

    def forward(self, pair):
        u, i = pair[:, 0], pair[:, 1]
        return (self.u(u) * self.i(i)).sum(1) + self.ub(u).squeeze(1) + self.ib(i).squeeze(1)


torch.manual_seed(0)
tu, ti = torch.randn(30, 3), torch.randn(40, 3)
pairs = torch.cartesian_prod(torch.arange(30), torch.arange(40))
rating = (tu[pairs[:, 0]] * ti[pairs[:, 1]]).sum(1) + 0.1 * torch.randn(1200)
train, val = random_split(TensorDataset(pairs, rating), [1000, 200])
model = DotProductBias(30, 40)
opt = torch.optim.Adam(model.parameters(), lr=3e-2, weight_decay=1e-5)
val_dl = DataLoader(val, 200)
for epoch in range(10):
    for p, r in DataLoader(train, 50, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(p), r)
        loss.backward()
        opt.step()
    with torch.no_grad():
        p, r = next(iter(val_dl))
        print(epoch, loss.item(), nn.functional.mse_loss(model(p), r).item())
