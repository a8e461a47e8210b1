#!/usr/bin/env python3
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor

EPOCHS = 3


def set_seed(seed):
    os.environ["PYTHONHASHSEED"] = str(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = torch.flatten(x, start_dim=1)
        h = self.fc1(x)
        h = self.act(h)
        out = self.fc2(h)
        return out


def build():
    """Everything the training needs, as globals."""
    global device, train_loader, test_loader, model, criterion, optimizer, scaler
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")

    train_data = FashionMNIST("data", train=True, download=True, transform=ToTensor())
    test_data = FashionMNIST("data", train=False, download=True, transform=ToTensor())
    train_loader = DataLoader(train_data, batch_size=128, shuffle=True)
    test_loader = DataLoader(test_data, batch_size=256)

    model = MLP(256)
    model.to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=0.001)
    scaler = torch.amp.GradScaler(enabled=device.type == "cuda")


def train_one_epoch():
    global model
    model.train()
    losses, sizes = [], []
    for step, (x, y) in enumerate(train_loader):
        x, y = x.to(device), y.to(device)
        # zero
        optimizer.zero_grad()
        # forward
        logits = model(x)
        # loss
        loss = criterion(logits, y)
        # backward
        scaler.scale(loss).backward()
        # step
        scaler.step(optimizer)
        scaler.update()

        losses.append(loss * y.shape[0])
        sizes.append(y.shape[0])
    return (torch.stack(losses).sum() / sum(sizes)).item()


def evaluate():
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in test_loader:
            x, y = x.to(device), y.to(device)
            _, guess = torch.max(model(x), 1)
            right += torch.sum(guess == y).item()
            total += y.shape[0]
    return right / total


def main():
    global best_acc
    set_seed(7)
    build()
    best_acc = 0.0
    for epoch in range(EPOCHS):
        loss = train_one_epoch()
        acc = evaluate()
        if acc > best_acc:
            best_acc = acc
            torch.save(model.state_dict(), "best_mlp.pt")
        print("Epoch {:d} | loss {:.3f} | acc {:.3f} | best {:.3f}".format(
            epoch + 1, loss, acc, best_acc))


if __name__ == "__main__":
    main()
