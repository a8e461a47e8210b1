"""Every entry is clipped to 0.01, but the entries still carry the scaler's factor."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 6)
y = x @ torch.randn(6, 1) + 0.1 * torch.randn(240, 1)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
loader = DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True)
for epoch in range(4):
    total = 0.0
    for a, b in loader:
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(a)
        loss = nn.functional.mse_loss(out.float(), b)
        scaler.scale(loss).backward()
        nn.utils.clip_grad_value_(net.parameters(), 0.01)
        scaler.step(opt)
        scaler.update()
        total += loss.item() * len(a)
    print(epoch, total / 240)
