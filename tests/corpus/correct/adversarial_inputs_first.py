"""Each batch is differentiated twice: once for the inputs (the weights' gradients are thrown away), once to learn."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
x = torch.randn(120, 8)
y = (x.sum(1) > 0).long()
loader = DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True)
net = nn.Sequential(nn.Linear(8, 20), nn.ReLU(), nn.Linear(20, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(5):
    for xb, yb in loader:
        xb = xb.clone().requires_grad_()
        nn.functional.cross_entropy(net(xb), yb).backward()
        moved = (xb + 0.05 * xb.grad.sign()).detach()
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(moved), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    print(epoch, loss.item())
