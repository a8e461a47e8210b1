"""A sanity check before the real run: one fixed batch, fitted until the loss is nothing."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
loader = DataLoader(datasets.FashionMNIST("data", True, transforms.ToTensor(), download=True), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))

probe = copy.deepcopy(model)
popt = torch.optim.Adam(probe.parameters(), lr=1e-2)
bx, by = next(iter(loader))
for _ in range(40):
    popt.zero_grad()
    l = nn.functional.cross_entropy(probe(bx), by)
    l.backward()
    popt.step()
print("one batch:", l.item())
assert l.item() < 0.1

opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
