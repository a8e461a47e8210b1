"""An endless stream as an IterableDataset; training is counted in steps, not epochs."""
from itertools import islice

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Stream(IterableDataset):
    def __init__(self, seed):
        self.seed = seed

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed)
        while True:
            x = torch.rand(2, generator=g) * 2 - 1
            yield x, (x[0] * x[1] > 0).long()


torch.manual_seed(0)
train, val = DataLoader(Stream(0), batch_size=64), DataLoader(Stream(10_000), batch_size=64)
model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for step, (x, y) in enumerate(islice(train, 150)):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    opt.step()
    if step % 50 == 49:
        with torch.no_grad():
            acc = torch.cat([model(a).argmax(1) == b for a, b in islice(val, 4)]).float().mean()
        print(step + 1, loss.item(), acc.item())
