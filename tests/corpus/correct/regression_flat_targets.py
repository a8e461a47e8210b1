"""Regression where the network squeezes its output to (N,), as the targets are."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


torch.manual_seed(3)
x = torch.randn(330, 4)
t = x[:, 0] - 2 * x[:, 1] * x[:, 2]
dl = DataLoader(TensorDataset(x, t), batch_size=32, shuffle=True)
m = Regressor(4)
o = torch.optim.AdamW(m.parameters(), lr=2e-2)
for ep in range(8):
    s = 0.
    for xb, tb in dl:
        p = m(xb)
        assert p.shape == tb.shape
        l = nn.functional.smooth_l1_loss(p, tb)
        o.zero_grad(); l.backward(); o.step()
        s += l.item() * tb.numel()
    print(ep, s / len(x))
