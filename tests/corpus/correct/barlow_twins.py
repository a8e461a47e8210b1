"""Barlow Twins (Zbontar et al. 2021) on little pictures, then a linear read-out."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def off_diagonal(x):
    n, m = x.shape
    assert n == m
    return x.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()


class BarlowTwins(nn.Module):
    def __init__(self, lambd=0.02):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(True),
            nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(True),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.projector = nn.Sequential(nn.Linear(24, 48, bias=False), nn.BatchNorm1d(48), nn.ReLU(True), nn.Linear(48, 32, bias=False))
        self.bn = nn.BatchNorm1d(32, affine=False)
        self.lambd = lambd

    def forward(self, y1, y2):
        z1, z2 = self.projector(self.backbone(y1)), self.projector(self.backbone(y2))
        c = self.bn(z1).T @ self.bn(z2) / len(y1)
        on_diag = torch.diagonal(c).add_(-1).pow_(2).sum()
        return on_diag + self.lambd * off_diagonal(c).pow_(2).sum()


def pictures(n):
    """Horizontal, vertical and diagonal gratings."""
    y = torch.randint(3, (n,))
    i, j = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
    waves = torch.stack([i, j, i + j])[y]
    return torch.sin(waves * 1.3 + 6 * torch.rand(n, 1, 1)).unsqueeze(1), y


def augment(x):
    x = torch.roll(x, tuple(torch.randint(-3, 4, (2,)).tolist()), (2, 3))
    return x * (0.7 + 0.6 * torch.rand(len(x), 1, 1, 1)) + 0.25 * torch.randn_like(x)


model = BarlowTwins()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-6)
images, labels = pictures(768)
for epoch in range(8):
    model.train()
    perm = torch.randperm(len(images))
    for chunk in perm.split(128):
        x = images[chunk]
        loss = model(augment(x), augment(x))
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.3f}")

model.eval()
with torch.no_grad():
    feats = model.backbone(images)
    test_x, test_y = pictures(300)
    test_feats = model.backbone(test_x)
readout = nn.Linear(24, 3)
probe = torch.optim.SGD(readout.parameters(), lr=1.0, momentum=0.9)
mu, sd = feats.mean(0), feats.std(0) + 1e-6
for _ in range(100):
    probe.zero_grad()
    F.cross_entropy(readout((feats - mu) / sd), labels).backward()
    probe.step()
with torch.no_grad():
    acc = (readout((test_feats - mu) / sd).argmax(1) == test_y).float().mean()
print(f"linear read-out accuracy {acc:.3f}")
