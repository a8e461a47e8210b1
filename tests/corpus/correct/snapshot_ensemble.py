"""Cyclic rates; at the end of each cycle a snapshot joins the ensemble, whose probabilities are averaged."""
import copy
import math

import torch
from torch import nn
from torchvision.datasets import FashionMNIST

torch.manual_seed(0)
tr, te = (FashionMNIST("data", train=t, download=True) for t in (True, False))
X, y = tr.data.float().div_(255).flatten(1)[:640], tr.targets[:640]
Xt, yt = te.data.float().div_(255).flatten(1), te.targets
net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
members, cycle = [], 20
for step in range(60):
    t = step % cycle
    for g in opt.param_groups:
        g["lr"] = 0.1 * (math.cos(math.pi * t / cycle) + 1)
    i = torch.randperm(len(X))[:64]
    net.train()
    loss = nn.functional.cross_entropy(net(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if t == cycle - 1:
        members.append(copy.deepcopy(net).eval())
        print("snapshot", len(members), loss.item())
with torch.inference_mode():
    p = torch.stack([m(Xt).softmax(-1) for m in members]).mean(0)
print("ensemble", (p.argmax(-1) == yt).float().mean().item())
