"""SequentialLR: linear warm-up by epoch, then cosine."""
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.rand(480, 3)
Y = torch.stack((X.sum(1), X.prod(1)), dim=1)
loader = DataLoader(TensorDataset(X, Y), batch_size=48, shuffle=True)
net = nn.Sequential(nn.Linear(3, 50), nn.Mish(), nn.Linear(50, 2))
opt = optim.NAdam(net.parameters(), lr=0.01)
sched = SequentialLR(opt, [LinearLR(opt, start_factor=0.1, total_iters=3), CosineAnnealingLR(opt, T_max=7)], milestones=[3])
for epoch in range(10):
    losses = []
    for xb, yb in loader:
        opt.zero_grad()
        l = nn.functional.l1_loss(net(xb), yb)
        l.backward()
        opt.step()
        losses.append(l.item())
    print("epoch", epoch, "lr", opt.param_groups[0]["lr"], "mae", sum(losses) / len(losses))
    sched.step()
