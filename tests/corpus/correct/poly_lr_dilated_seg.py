"""Semantic segmentation with dilated convolutions: void label 255, class weights, poly rate per iteration."""
import numpy as np
import torch
import torch.nn as nn
import torch.utils.data as tud
from tqdm import tqdm

NUM_CLASSES, VOID = 3, 255


class ToySegmentation(tud.Dataset):
    def __init__(self, split, n):
        rng = np.random.default_rng(0 if split == "train" else 1)
        self.images, self.masks = [], []
        for _ in range(n):
            img = rng.normal(0, 0.15, (3, 24, 24)).astype("float32")
            mask = np.zeros((24, 24), dtype=np.int64)
            for c in (1, 2):
                y, x = rng.integers(2, 16, 2)
                mask[y : y + 6, x : x + 6] = c
            for c in range(3):
                img[c][mask == c] += 0.6
            border = np.zeros_like(mask, dtype=bool)
            border[:, 1:] |= mask[:, 1:] != mask[:, :-1]
            mask[border] = VOID
            self.images.append(img), self.masks.append(mask)
        self.train = split == "train"

    def __getitem__(self, i):
        img, mask = self.images[i], self.masks[i]
        if self.train and np.random.rand() < 0.5:
            img, mask = img[:, :, ::-1].copy(), mask[:, ::-1].copy()
        return torch.from_numpy(img), torch.from_numpy(mask)

    def __len__(self):
        return len(self.images)


class ASPPNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.branches = nn.ModuleList([nn.Conv2d(16, 8, 3, padding=d, dilation=d) for d in (1, 2, 4)])
        self.head = nn.Conv2d(24, NUM_CLASSES, 1)

    def forward(self, x):
        x = self.stem(x)
        return self.head(torch.cat([torch.relu(b(x)) for b in self.branches], 1))


def fast_hist(a, b, n):
    k = (b >= 0) & (b < n)
    return np.bincount(n * b[k].astype(int) + a[k], minlength=n**2).reshape(n, n)


def main():
    train_loader = tud.DataLoader(ToySegmentation("train", 240), 16, shuffle=True, drop_last=True)
    val_loader = tud.DataLoader(ToySegmentation("val", 60), 16)
    net = ASPPNet()
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.3, 1.0, 1.0]), ignore_index=VOID)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    max_iter, it = 5 * len(train_loader), 0
    for epoch in range(5):
        net.train()
        for img, mask in tqdm(train_loader, desc=f"epoch {epoch}"):
            for g in optimizer.param_groups:
                g["lr"] = 0.1 * (1 - it / max_iter) ** 0.9
            optimizer.zero_grad()
            loss = criterion(net(img), mask)
            loss.backward()
            optimizer.step()
            it += 1
        net.eval()
        hist = np.zeros((NUM_CLASSES, NUM_CLASSES))
        with torch.no_grad():
            for img, mask in val_loader:
                pred = net(img).argmax(1).numpy()
                hist += fast_hist(pred.flatten(), mask.numpy().flatten(), NUM_CLASSES)
        iou = np.diag(hist) / (hist.sum(1) + hist.sum(0) - np.diag(hist))
        print(f"epoch {epoch} loss {loss.item():.3f} mIoU {iou.mean():.3f}")


if __name__ == "__main__":
    main()
