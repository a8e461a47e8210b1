"""A constraint with a Lagrange multiplier: the weights go down by Adam, the multiplier up by hand."""
import torch
from torch import nn


class Multiplier(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.0))

    def forward(self, excess):
        return self.value * excess


torch.manual_seed(0)
x = torch.randn(150, 5)
y = x @ torch.tensor([3.0, -2.0, 0.0, 1.0, 0.0])
net, price = nn.Linear(5, 1), Multiplier()
opt = torch.optim.Adam(net.parameters(), lr=0.05)
for step in range(80):
    loss = nn.functional.mse_loss(net(x).squeeze(1), y) + price(net.weight.norm() - 2.0)
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        price.value += 0.05 * price.value.grad
        price.value.clamp_(min=0)
    price.value.grad = None
print(net.weight.norm().item(), price.value.item())
