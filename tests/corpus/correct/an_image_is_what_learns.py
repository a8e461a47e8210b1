"""Style transfer's way: the picture is the parameter, the network only looks at it."""
import torch
from torch import nn

torch.manual_seed(2)
eyes = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))


def gram(f):
    f = f.flatten(2)
    return f @ f.mT / f.shape[-1]


with torch.no_grad():
    style = gram(eyes(torch.rand(1, 3, 16, 16)))
picture = nn.Parameter(torch.rand(1, 3, 16, 16))
opt = torch.optim.Adam([picture], lr=0.02)
for step in range(60):
    opt.zero_grad()
    loss = (gram(eyes(picture)) - style).square().sum()
    loss.backward()
    opt.step()
print(loss.item())
