"""The scaler begins much too high: its first steps overflow and are left out, as they should be."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(128, 6)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
for step in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    scaler.scale(5 * loss).backward()
    scaler.step(opt)
    scaler.update()
print(loss.item(), scaler.get_scale())
