"""Features of the training loader for a plot, as they are; and a validation set that is shaken, too."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    """Points of three kinds; with `shake`, a little different each time they are read."""

    def __init__(self, n, seed, shake):
        g = torch.Generator().manual_seed(seed)
        self.kind = torch.randint(0, 3, (n,), generator=g)
        self.point = torch.randn(n, 12, generator=g) + self.kind[:, None]
        self.shake = shake

    def __len__(self):
        return len(self.kind)

    def __getitem__(self, i):
        p = self.point[i]
        return (p + 0.2 * torch.randn(12) if self.shake else p), self.kind[i]


torch.manual_seed(0)
train = DataLoader(Noisy(240, 1, True), 40, shuffle=True)
valid = DataLoader(Noisy(60, 2, True), 30)
net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(3):
    net.train()
    for x, y in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in valid)
    print(epoch, right / 60)
with torch.no_grad():
    print(torch.cat([net(x) for x, _ in train]).shape)
