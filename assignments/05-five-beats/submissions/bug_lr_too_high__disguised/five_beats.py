"""Fashion-MNIST MLP: loader workers, mixed precision on a GPU, cosine learning rate."""
import argparse
import logging
import random

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("five_beats")

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--lr", type=float, default=1.0)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--seed", type=int, default=0)
args, _ = parser.parse_known_args()


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


set_seed(args.seed)
device = "cuda" if torch.cuda.is_available() else "cpu"

tf = transforms.ToTensor()
train_loader = DataLoader(
    datasets.FashionMNIST("data", train=True, download=True, transform=tf),
    batch_size=128,
    shuffle=True,
    num_workers=args.workers,
    pin_memory=device == "cuda",
)
test_loader = DataLoader(
    datasets.FashionMNIST("data", train=False, download=True, transform=tf),
    batch_size=256,
)


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)
        nn.init.kaiming_uniform_(self.fc1.weight, nonlinearity="relu")
        nn.init.zeros_(self.fc1.bias)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x.flatten(start_dim=1))))


model = MLP().to(device)
criterion = nn.CrossEntropyLoss().to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
scheduler = CosineAnnealingLR(optimizer, T_max=2 * args.epochs)
scaler = torch.amp.GradScaler(device, enabled=device == "cuda")


def train_one_epoch():
    model.train()
    total = torch.zeros((), dtype=torch.float64)
    samples = 0
    for batch in train_loader:
        x, y = (t.to(device) for t in batch)
        optimizer.zero_grad()
        with torch.autocast(device_type=device, dtype=torch.float16, enabled=device == "cuda"):
            y_hat = model(x)
            loss = criterion(y_hat, y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.detach().cpu().double() * len(x)
        samples += len(x)
    return (total / samples).item()


def evaluate():
    model.eval()
    correct = 0
    total = 0
    with torch.no_grad():
        for x, y in test_loader:
            x, y = x.to(device), y.to(device)
            y_hat = model(x).argmax(dim=1)
            correct += (y_hat == y).sum().item()
            total += y.size(0)
    return correct / total


best_acc = float("-inf")
for epoch in range(args.epochs):
    rate = optimizer.param_groups[0]["lr"]
    train_loss = train_one_epoch()
    test_acc = evaluate()
    scheduler.step()
    log.info("epoch %d: lr %.1e, loss %.4f, accuracy %.4f", epoch + 1, rate, train_loss, test_acc)
    if test_acc > best_acc:
        best_acc = test_acc
        torch.save(model.state_dict(), "best_mlp.pt")
print(f"done: the best epoch reached {best_acc:.4f}")
