"""Binary mask of a bright disc: a fully convolutional net that ends in sigmoid."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Seg(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 8, 3, padding=1)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        h = F.relu(self.down(x))
        h = F.relu(self.mid(h))
        return F.sigmoid(self.out(h))


def discs(n):
    yy, xx = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    c = 5 + 10 * torch.rand(n, 2, 1, 1)
    mask = ((yy - c[:, 0]) ** 2 + (xx - c[:, 1]) ** 2 < 16).float().unsqueeze(1)
    return mask + 0.4 * torch.randn(n, 1, 20, 20), mask


def bce_dice(pred, target):
    bce = F.binary_cross_entropy_with_logits(pred, target)
    inter = (pred * target).sum((1, 2, 3))
    dice = 1 - (2 * inter + 1) / (pred.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)
    return bce + dice.mean()


images, masks = discs(320)
val_images, val_masks = discs(64)
net = Seg()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    net.train()
    for i in torch.randperm(320).split(32):
        loss = bce_dice(net(images[i]), masks[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        p = net(val_images) > 0.5
        iou = (p & (val_masks > 0)).sum() / (p | (val_masks > 0)).sum()
    print(f"{epoch} {loss.item():.3f} IoU {iou.item():.3f}")
