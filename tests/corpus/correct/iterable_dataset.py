import torch, torch.nn as nn
from torch.utils.data import IterableDataset, DataLoader
class Stream(IterableDataset):
    def __init__(self, n): self.n = n
    def __iter__(self):
        for _ in range(self.n):
            x = torch.randn(5); yield x, (x.sum() > 0).long()
torch.manual_seed(0)
dl = DataLoader(Stream(320), batch_size=32); m = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2)); o = torch.optim.SGD(m.parameters(), .1)
for e in range(3):
    for a, b in dl: o.zero_grad(); l = nn.functional.cross_entropy(m(a), b); l.backward(); o.step()
    print(e, l.item())
