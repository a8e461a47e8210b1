"""Center-point heatmap detector: the model returns a dict, losses are looked up by output name and weighted."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def draw_squares(n, size=24):
    img = 0.15 * torch.randn(n, 1, size, size)
    heat, wh, mask = torch.zeros(n, 1, 6, 6), torch.zeros(n, 2, 6, 6), torch.zeros(n, 1, 6, 6)
    for k in range(n):
        h, w = torch.randint(4, 9, (2,)).tolist()
        top, left = torch.randint(0, size - h, ()).item(), torch.randint(0, size - w, ()).item()
        img[k, 0, top:top + h, left:left + w] += 1
        cy, cx = int((top + h / 2) / 4), int((left + w / 2) / 4)
        heat[k, 0, cy, cx], mask[k, 0, cy, cx] = 1, 1
        wh[k, :, cy, cx] = torch.tensor([w / 8, h / 8])
    return {"img": img, "heat": heat, "wh": wh, "mask": mask}


class CenterNet(nn.Module):
    def __init__(self, heads=(("heat", 1), ("wh", 2)), c=16):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, c, 3, 2, 1), nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 2 * c, 3, 2, 1), nn.BatchNorm2d(2 * c), nn.ReLU(), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Conv2d(2 * c, k, 1) for name, k in heads})
        nn.init.constant_(self.heads["heat"].bias, -3.0)

    def forward(self, sample):
        f = self.trunk(sample["img"])
        return {name: head(f) for name, head in self.heads.items()}


def heat_loss(out, gt):
    p = out["heat"].sigmoid().clamp(1e-4, 1 - 1e-4)
    pos = gt["heat"] == 1
    return -(torch.where(pos, (1 - p) ** 2 * p.log(), p ** 2 * (1 - p).log())).sum() / pos.sum()


def size_loss(out, gt):
    return F.l1_loss(out["wh"] * gt["mask"], gt["wh"] * gt["mask"], reduction="sum") / gt["mask"].sum()


LOSSES = {"heat": (heat_loss, 1.0), "wh": (size_loss, 0.5)}
torch.manual_seed(77)
train, val = draw_squares(640), draw_squares(128)
net = CenterNet()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)

for epoch in range(8):
    net.train()
    running = dict.fromkeys(LOSSES, 0.0)
    for idx in torch.randperm(640).split(64):
        batch = {k: v[idx] for k, v in train.items()}
        out = net(batch)
        parts = {name: w * fn(out, batch) for name, (fn, w) in LOSSES.items()}
        opt.zero_grad()
        torch.stack(tuple(parts.values())).sum().backward()
        opt.step()
        for name, v in parts.items():
            running[name] += v.item() / 10
    net.eval()
    with torch.no_grad():
        out = net(val)
        found = (out["heat"].flatten(1).argmax(1) == val["heat"].flatten(1).argmax(1)).float().mean()
    print(epoch, {k: round(v, 3) for k, v in running.items()}, f"centre found {found:.3f}")
