"""What is differentiated is the scaled loss; what is added up is the loss itself, with its graph."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 6)
y = (x[:, 0] > 0).long()
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
for epoch in range(3):
    total = torch.zeros(())
    for a, b in loader:
        opt.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = nn.functional.cross_entropy(net(a), b)
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        total = total + loss * len(b)
    print(epoch, (total / 240).item())
