"""Multi-gate mixture of experts for two click tasks; attribute-bag habit from JAX/attrs."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Bag:
    """Sets whatever it is given as attributes."""

    def assign(self, **things):
        self.__dict__.update(things)
        return self


class MMoE(nn.Module, Bag):
    def __init__(self, d, experts=3, h=24):
        super().__init__()
        self.assign(
            d=d,
            gates=nn.ModuleDict({t: nn.Linear(d, experts) for t in ("click", "buy")}),
            towers=nn.ModuleDict({t: nn.Sequential(nn.Linear(h, 16), nn.ReLU(), nn.Linear(16, 1)) for t in ("click", "buy")}),
        )
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, h), nn.ReLU()) for _ in range(experts))

    def forward(self, x):
        e = torch.stack([ex(x) for ex in self.experts], 1)
        return {t: self.towers[t]((g(x).softmax(1).unsqueeze(2) * e).sum(1)).squeeze(1) for t, g in self.gates.items()}


torch.manual_seed(16)
x = torch.randn(1200, 10)
click = ((x[:, 0] + x[:, 1] * x[:, 2]) > 0).float()
buy = ((x[:, 3] - x[:, 1].abs() + x[:, 0]) > 0).float()
train = DataLoader(TensorDataset(x[:1000], click[:1000], buy[:1000]), batch_size=50, shuffle=True)
net = MMoE(10)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
bce = nn.BCEWithLogitsLoss()
for epoch in range(6):
    for xb, c, b in train:
        out = net(xb)
        loss = bce(out["click"], c) + 0.5 * bce(out["buy"], b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        out = net(x[1000:])
    print(f"epoch {epoch} loss {loss.item():.3f} click {((out['click'] > 0) == (click[1000:] > 0)).float().mean():.3f} buy {((out['buy'] > 0) == (buy[1000:] > 0)).float().mean():.3f}")
