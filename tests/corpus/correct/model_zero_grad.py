"""Zeroing through the module, at the end of the step, with set_to_none=False; everything in double."""
import torch
from torch import nn

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
x = torch.randn(240, 3)
t = torch.atan2(x[:, 1], x[:, 0]).unsqueeze(-1)
f = nn.Sequential(nn.Linear(3, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
opt = torch.optim.Adagrad(f.parameters(), lr=0.05)
for k in range(200):
    sel = torch.randint(0, 240, (48,))
    loss = (f(x[sel]) - t[sel]).abs().mean()
    loss.backward()
    opt.step()
    f.zero_grad(set_to_none=False)
    if k % 50 == 0:
        print(k, loss.item())
