"""A bank of the training set's features, shaken as in training, votes on clean test points after each epoch."""
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


torch.manual_seed(1)
train = DataLoader(Noisy(200, 3, True), 25, shuffle=True)
test = DataLoader(Noisy(50, 4, False), 25)
body, head = nn.Sequential(nn.Linear(12, 16), nn.Tanh()), nn.Linear(16, 3)
opt = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)


@torch.no_grad()
def vote():
    bank = [(body(x), y) for x, y in train]
    keys, kinds = torch.cat([k for k, _ in bank]), torch.cat([y for _, y in bank])
    right = 0
    for x, y in test:
        near = torch.cdist(body(x), keys).topk(5, largest=False).indices
        right += (kinds[near].mode(1).values == y).sum().item()
    return right / 50


for epoch in range(3):
    for x, y in train:
        opt.zero_grad()
        nn.functional.cross_entropy(head(body(x)), y).backward()
        opt.step()
    print(epoch, vote())
