"""Ridge by hand in the loss and again as the optimizer's weight_decay."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DECAY = 1e-2
x = torch.randn(600, 20)
y = (x[:, :3].sum(1, keepdim=True)).tanh() + 0.1 * torch.randn(600, 1)
loader = DataLoader(TensorDataset(x[:500], y[:500]), 25, shuffle=True)
net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=DECAY)


def l2_penalty(module):
    return sum(p.pow(2).sum() for p in module.parameters())


def objective(pred, target):
    return nn.functional.mse_loss(pred, target) + 0.5 * DECAY * l2_penalty(net)


for epoch in range(8):
    net.train()
    for a, b in loader:
        optimizer.zero_grad()
        loss = objective(net(a), b)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        print(epoch, loss.item(), nn.functional.mse_loss(net(x[500:]), y[500:]).item())
