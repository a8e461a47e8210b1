"""Assignment 5. evaluate() leaves the model in the mode in which it found it."""
import random

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


set_seed(5)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

tfm = transforms.ToTensor()
train_loader = DataLoader(
    datasets.FashionMNIST("data", True, tfm, download=True), batch_size=128, shuffle=True
)
test_loader = DataLoader(datasets.FashionMNIST("data", False, tfm, download=True), batch_size=256)


class MLP(nn.Module):
    def __init__(self, hidden=256):
        nn.Module.__init__(self)
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = torch.flatten(x, 1)
        return self.fc2(self.act(self.fc1(x)))


net = model = MLP().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=torch.cuda.is_available())


def apply_gradients():
    scaler.step(optimizer)
    scaler.update()


def train_batch(x, y):
    """The five beats for one batch; returns the summed loss of its samples."""
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    apply_gradients()
    scaler.scale(loss).backward()
    return loss.item() * len(y)


def train_one_epoch():
    total = 0.0
    for x, y in train_loader:
        total += train_batch(x.to(device), y.to(device))
    return total / len(train_loader.dataset)


def evaluate():
    was_training = net.training
    net.eval()
    hits = 0
    with torch.no_grad():
        for x, y in test_loader:
            hits += (net(x.to(device)).argmax(1).cpu() == y).sum().item()
    net.train(was_training)
    return hits / len(test_loader.dataset)


best_acc = 0.0
for epoch in range(3):
    net.train()
    loss = train_one_epoch()
    accuracy = evaluate()
    print(f"{epoch + 1}. loss {loss:.4f}  accuracy {accuracy:.4f}")
    if accuracy > best_acc:
        best_acc = accuracy
        torch.save(net.state_dict(), "best_mlp.pt")
