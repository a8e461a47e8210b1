"""RotNet: predict the rotation of a picture, then read the classes off the frozen features."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms as T


def rotations(x):
    """Every picture four times: (4B, 1, H, W) and which quarter turn it got."""
    return torch.cat([torch.rot90(x, k, (2, 3)) for k in range(4)]), torch.arange(4).repeat_interleave(len(x))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 12, 5, 2), nn.Conv2d(12, 24, 3, 2)
        self.norm = nn.GroupNorm(4, 24)

    def forward(self, x):
        return F.relu(self.norm(self.c2(F.relu(self.c1(x))))).flatten(1)


def pretrain(enc, loader, epochs=2):
    head = nn.Linear(24 * 25, 4)
    opt = torch.optim.Adam([*enc.parameters(), *head.parameters()], lr=2e-3)
    for ep in range(epochs):
        hits = n = 0
        for x, _ in loader:
            x, turn = rotations(x)
            out = head(enc(x))
            loss = F.cross_entropy(out, turn)
            opt.zero_grad()
            loss.backward()
            opt.step()
            hits += (out.argmax(1) == turn).sum().item()
            n += len(turn)
        print(f"pretext epoch {ep}: rotation accuracy {hits / n:.3f}")


def probe(enc, train, test, epochs=3):
    for p in enc.parameters():
        p.requires_grad = False
    enc.eval()
    clf = nn.Linear(24 * 25, 10)
    opt = torch.optim.Adam(clf.parameters(), lr=3e-3)
    for ep in range(epochs):
        clf.train()
        for x, y in train:
            opt.zero_grad()
            F.cross_entropy(clf(enc(x)), y).backward()
            opt.step()
        clf.eval()
        with torch.no_grad():
            hits = sum((clf(enc(x)).argmax(1) == y).sum().item() for x, y in test)
        print(f"probe epoch {ep}: test accuracy {hits / len(test.dataset):.3f}")


tf = T.Compose([T.ToTensor(), T.Normalize(0.286, 0.353)])
train_set = datasets.FashionMNIST("data", download=True, transform=tf)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=tf)
train = DataLoader(Subset(train_set, range(min(1000, len(train_set)))), 50, shuffle=True)
test = DataLoader(test_set, 100)
encoder = Encoder()
pretrain(encoder, train)
probe(encoder, train, test)
