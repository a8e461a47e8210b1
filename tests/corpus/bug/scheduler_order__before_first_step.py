import torch
import torch.nn as nn
import torch.optim as optim
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(500, 3) * 2 - 1
y = x.prod(1, keepdim=True) * 4
dl = DataLoader(TensorDataset(x, y), batch_size=25, shuffle=True)
net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
opt = optim.Adam(net.parameters(), lr=0.01)
sched = ExponentialLR(opt, gamma=0.8)

for epoch in range(1, 9):
    sched.step()
    print("Epoch", epoch, "lr", opt.param_groups[0]["lr"])
    for xb, yb in dl:
        opt.zero_grad()
        loss = nn.MSELoss()(net(xb), yb)
        loss.backward()
        opt.step()
    print("   loss", loss.item())
