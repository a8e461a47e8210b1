"""Few distinct rows, many equal ones: train and test hold different rows with equal values."""
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
cells = torch.tensor(list(itertools.product([0., 1.], repeat=5)))
x = cells.repeat(12, 1)
y = ((x.sum(1) + torch.randn(len(x)) * 0.5) > 2.5).long()
train, test = random_split(TensorDataset(x, y), [300, len(x) - 300], generator=torch.Generator().manual_seed(1))
train_dl, test_dl = DataLoader(train, 30, shuffle=True), DataLoader(test, len(test))
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for epoch in range(8):
    for a, b in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    with torch.no_grad():
        (a, b), = test_dl
        print(epoch, (net(a).argmax(1) == b).float().mean().item())
