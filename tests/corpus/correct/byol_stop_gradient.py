"""Two towers without negatives: an online one with a predictor, a slow target, stop-gradient by detach."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(5, 16)[torch.randint(5, (400,))] * 2 + 0.3 * torch.randn(400, 16)
online = nn.Sequential(nn.Linear(16, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 16))
predictor = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
target = copy.deepcopy(online)
opt = torch.optim.Adam(list(online.parameters()) + list(predictor.parameters()), 3e-3)


def distance(p, z):
    return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1).mean()


for epoch in range(5):
    for i in torch.randperm(400).split(50):
        a, b = (x[i] + 0.2 * torch.randn(50, 16) for _ in range(2))
        with torch.no_grad():
            ta, tb = target(a), target(b)
        loss = 0.5 * (distance(predictor(online(a)), tb) + distance(predictor(online(b)), ta))
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for t, o in zip(target.parameters(), online.parameters()):
                t.lerp_(o, 0.01)
    print(epoch, loss.item())
