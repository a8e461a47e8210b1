"""One-stage detector on a 4x4 grid: objectness, box and class losses together."""
import logging

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("det")


class Shapes(Dataset):
    def __init__(self, n, seed):
        self.n, self.seed = n, seed

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        g = torch.Generator().manual_seed(self.seed * 100_000 + index)
        img, target = 0.05 * torch.randn(1, 32, 32, generator=g), torch.zeros(6, 4, 4)
        for _ in range(2):
            cls = int(torch.randint(2, (1,), generator=g))
            cy, cx = torch.randint(4, 28, (2,), generator=g).tolist()
            r = int(torch.randint(2, 4, (1,), generator=g))
            patch = img[0, cy - r : cy + r + 1, cx - r : cx + r + 1]
            patch += 1.0 if cls == 0 else -1.0
            gy, gx = cy // 8, cx // 8
            target[:, gy, gx] = torch.tensor([1, (cy % 8) / 8, (cx % 8) / 8, r / 4, float(cls == 0), float(cls == 1)])
        return img, target


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, 1, 1), nn.BatchNorm2d(o), nn.LeakyReLU(0.1, inplace=True), nn.MaxPool2d(2))
        self.net = nn.Sequential(block(1, 8), block(8, 16), block(16, 32), nn.Conv2d(32, 6, 1))

    def forward(self, x):
        return self.net(x)


class YoloLoss(nn.Module):
    def __init__(self, box=5.0, noobj=0.5):
        super().__init__()
        self.box, self.noobj = box, noobj
        self.bce = nn.BCEWithLogitsLoss(reduction="none")

    def forward(self, pred, target):
        obj = target[:, 0] == 1
        conf = self.bce(pred[:, 0], target[:, 0])
        conf = conf[obj].mean() + self.noobj * conf[~obj].mean()
        box = (torch.sigmoid(pred[:, 1:4]) - target[:, 1:4]).pow(2).sum(1)[obj].mean()
        cls = nn.functional.cross_entropy(pred[:, 4:].permute(0, 2, 3, 1)[obj], target[:, 4:].permute(0, 2, 3, 1)[obj].argmax(-1))
        return conf + self.box * box + cls, {"conf": conf.item(), "box": box.item(), "cls": cls.item()}


def evaluate(model, loader):
    model.eval()
    tp = n = 0
    with torch.no_grad():
        for img, target in loader:
            pred, obj = model(img), target[:, 0] == 1
            right = (pred[:, 4:].argmax(1) == target[:, 4:].argmax(1)) & (pred[:, 0] > 0)
            tp += right[obj].sum().item()
            n += obj.sum().item()
    return tp / n


def main():
    train, val = DataLoader(Shapes(640, 1), 32, shuffle=True), DataLoader(Shapes(128, 2), 32)
    model, loss_fn = Detector(), YoloLoss()
    optim = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, weight_decay=5e-4, nesterov=True)
    sched = torch.optim.lr_scheduler.MultiStepLR(optim, [4], gamma=0.1)
    for epoch in range(6):
        model.train()
        for img, target in train:
            loss, parts = loss_fn(model(img), target)
            optim.zero_grad()
            loss.backward()
            optim.step()
        sched.step()
        log.info("epoch %d %s recall %.3f", epoch, {k: round(v, 3) for k, v in parts.items()}, evaluate(model, val))


if __name__ == "__main__":
    main()
