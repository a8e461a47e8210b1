import math

import torch
from torch import nn

torch.manual_seed(0)
images, labels = torch.rand(256, 784), torch.randint(10, (256,))
for std in (0.01, 1.0):
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    for layer in (net[0], net[2]):
        nn.init.normal_(layer.weight, std=std)
        nn.init.zeros_(layer.bias)
    print(
        "std",
        std,
        "first loss near ln 10:",
        abs(nn.functional.cross_entropy(net(images), labels).item() - math.log(10)) < 0.1,
    )
# > std 0.01 first loss near ln 10: True
# > std 1.0 first loss near ln 10: False
