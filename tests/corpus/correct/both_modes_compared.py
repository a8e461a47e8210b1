"""A demonstration, without training: the same set scored with dropout at work and with it at rest, and by many draws."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
x, y = torch.randn(200, 5), torch.randint(0, 2, (200,))
with torch.no_grad():
    for mode in (True, False):
        net.train(mode)
        shares = [(net(a).argmax(1) == b).float().mean() for a, b in zip(x.split(50), y.split(50))]
        print("training" if mode else "evaluating", torch.stack(shares).mean().item())
    net.train()
    draws = torch.stack([net(x[:20]).softmax(1) for _ in range(10)])
print(draws.std(0).mean().item())
