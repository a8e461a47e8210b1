import copy

import torch

net = torch.nn.Linear(1, 1, bias=False)
torch.nn.init.constant_(net.weight, 1.0)
target, copied = net, copy.deepcopy(net)
torch.nn.init.constant_(net.weight, 5.0)  # training goes on
print("target = net:", target.weight.item())
print("a copy:", copied.weight.item())
# > target = net: 5.0
# > a copy: 1.0
