import copy

import torch

net = torch.nn.Linear(1, 1, bias=False)
torch.nn.init.constant_(net.weight, 1.0)
best, copied = net.state_dict(), copy.deepcopy(net.state_dict())
torch.nn.init.constant_(net.weight, 5.0)  # training goes on
print("state_dict():", best["weight"].item())
print("a copy of it:", copied["weight"].item())
# > state_dict(): 5.0
# > a copy of it: 1.0
