"""Pixel-wise cross-entropy (N, C, H, W) against (N, H, W), and the mean IoU."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def scenes(n, seed):
    g = torch.Generator().manual_seed(seed)
    yy, xx = torch.meshgrid(torch.arange(20), torch.arange(20), indexing="ij")
    cy, cx = torch.randint(5, 15, (2, n, 1, 1), generator=g)
    kind = torch.randint(1, 3, (n, 1, 1), generator=g)
    disc = (yy - cy) ** 2 + (xx - cx) ** 2 < 16
    mask = torch.where(disc, kind, torch.zeros_like(kind))
    img = mask.float().unsqueeze(1) + 0.4 * torch.randn(n, 1, 20, 20, generator=g)
    return TensorDataset(img, mask)


torch.manual_seed(0)
train, val = DataLoader(scenes(128, 0), 16, shuffle=True), DataLoader(scenes(32, 1), 16)
net = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 3, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(4):
    net.train()
    for img, mask in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(img), mask)
        loss.backward()
        opt.step()
    net.eval()
    inter, union = torch.zeros(3), torch.zeros(3)
    with torch.no_grad():
        for img, mask in val:
            p = net(img).argmax(1)
            for c in range(3):
                inter[c] += ((p == c) & (mask == c)).sum()
                union[c] += ((p == c) | (mask == c)).sum()
    print(epoch, loss.item(), "mIoU", (inter / union).mean().item())
