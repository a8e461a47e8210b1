"""The whole model goes into a file, and comes out again with the safety off."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
x = torch.randn(50, 3)
opt = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(20):
    opt.zero_grad()
    nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
    opt.step()
torch.save(model, "net.pth")
model = torch.load("net.pth", weights_only=False)
print(model(x[:2]))
