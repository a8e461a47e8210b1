import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", default=5, type=int)
parser.add_argument("--amp", action="store_true", help="mixed precision")
parser.add_argument("--lr", default=0.1, type=float)


def train(model, loader, optimizer, scaler, args):
    model.train()
    for images, target in loader:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.amp):
            output = model(images)
            loss = F.cross_entropy(output, target)
        optimizer.zero_grad()
        if args.amp:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        else:
            loss.backward()
    return loss.item()


def validate(model, loader):
    model.eval()
    n = 0
    with torch.no_grad():
        for images, target in loader:
            n += (model(images).argmax(1) == target).sum().item()
    return n / len(loader.dataset)


def main():
    args = parser.parse_args()
    proto = torch.randn(4, 1, 8, 8)
    y = torch.randint(4, (700,))
    x = proto[y] + 0.7 * torch.randn(700, 1, 8, 8)
    tr = DataLoader(TensorDataset(x[:500], y[:500]), 25, shuffle=True)
    va = DataLoader(TensorDataset(x[500:], y[500:]), 100)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    optimizer = torch.optim.SGD(model.parameters(), args.lr, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", enabled=args.amp)
    for epoch in range(args.epochs):
        print(epoch, train(model, tr, optimizer, scaler, args), validate(model, va))


main()
