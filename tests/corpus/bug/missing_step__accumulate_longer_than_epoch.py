import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--micro_batch", type=int, default=64)
    p.add_argument("--effective_batch", type=int, default=1024)
    p.add_argument("--lr", type=float, default=1e-3)
    return p.parse_args()


def conv_bn(i, o, s):
    return nn.Sequential(nn.Conv2d(i, o, 3, s, 1, bias=False), nn.GroupNorm(4, o), nn.Hardswish())


def build():
    return nn.Sequential(conv_bn(1, 8, 2), conv_bn(8, 16, 2), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 10))


def train_epoch(model, loader, criterion, optimizer, accumulate):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for i, (img, target) in enumerate(loader):
        loss = criterion(model(img), target)
        total += loss.item() * len(img)
        (loss / accumulate).backward()
        if (i + 1) % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    return total / len(loader.dataset)


@torch.no_grad()
def validate(model, loader):
    model.eval()
    return sum((model(img).argmax(1) == target).sum().item() for img, target in loader) / len(loader.dataset)


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    t = transforms.ToTensor()
    train = torch.utils.data.Subset(datasets.FashionMNIST("data", True, t, download=True), range(640))
    val = torch.utils.data.Subset(datasets.FashionMNIST("data", False, t, download=True), range(200))
    train_loader = DataLoader(train, args.micro_batch, shuffle=True)
    val_loader = DataLoader(val, 100)
    net = build()
    opt = torch.optim.AdamW(net.parameters(), args.lr)
    for epoch in range(args.epochs):
        l = train_epoch(net, train_loader, nn.CrossEntropyLoss(), opt, args.effective_batch // args.micro_batch)
        print(f"epoch {epoch}: loss {l:.4f} val acc {validate(net, val_loader):.3f}")
