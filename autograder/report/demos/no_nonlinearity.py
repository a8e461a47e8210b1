import torch
from torch import nn

torch.manual_seed(0)
a, b, zero = torch.randn(1, 4), torch.randn(1, 4), torch.zeros(1, 4)
for layers in (
    [nn.Linear(4, 64), nn.Linear(64, 1)],
    [nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1)],
):
    net = nn.Sequential(*layers)
    straight = net(a) + net(b) - net(zero)
    print(len(layers), "layers, one straight map:", torch.allclose(net(a + b), straight, atol=1e-5))
# > 2 layers, one straight map: True
# > 3 layers, one straight map: False
