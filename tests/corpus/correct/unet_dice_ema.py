"""A tiny U-Net with an exponential moving average of its weights and a Dice loss."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)


def discs(n, size=24):
    grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")).float()
    centre = torch.randint(6, size - 6, (n, 2, 1, 1)).float()
    radius = torch.randint(3, 6, (n, 1, 1)).float()
    mask = (((grid[None] - centre) ** 2).sum(1).sqrt() < radius).float().unsqueeze(1)
    return mask + 0.5 * torch.randn_like(mask), mask


def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.pool, self.mid = block(1, 8), nn.MaxPool2d(2), block(8, 16)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.last = nn.Sequential(block(16, 8), nn.Conv2d(8, 1, 1))

    def forward(self, x):
        a = self.down(x)
        b = self.up(self.mid(self.pool(a)))
        return self.last(torch.cat([a, b], dim=1))


class EMA:
    def __init__(self, model, decay=0.95):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for ours, theirs in zip(self.module.state_dict().values(), model.state_dict().values()):
            if ours.dtype.is_floating_point:
                ours.mul_(self.decay).add_(theirs.detach(), alpha=1 - self.decay)
            else:
                ours.copy_(theirs)


def dice_loss(logits, target, eps=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    inter = (p * t).sum(1)
    return (1 - (2 * inter + eps) / (p.sum(1) + t.sum(1) + eps)).mean()


train = DataLoader(TensorDataset(*discs(128)), batch_size=16, shuffle=True)
val = DataLoader(TensorDataset(*discs(32)), batch_size=32)
model = UNet()
ema = EMA(model)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
bce = nn.BCEWithLogitsLoss()
for epoch in range(4):
    model.train()
    for x, y in train:
        logits = model(x)
        loss = bce(logits, y) + dice_loss(logits, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
    scores = []
    ema.module.eval()
    with torch.no_grad():
        for x, y in val:
            pred = (ema.module(x) > 0).float()
            inter, union = (pred * y).sum((1, 2, 3)), ((pred + y) > 0).float().sum((1, 2, 3))
            scores.append(inter / union.clamp(min=1))
    print(f"epoch {epoch}: loss {loss.item():.3f}, IoU of the average {torch.cat(scores).mean().item():.3f}")
