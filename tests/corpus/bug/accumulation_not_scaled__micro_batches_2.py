"""Micro-batches of 8 accumulated to 32 with SGD; the loss is not divided by four."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

ACCUM = 4
proto = torch.randn(4, 3, 8, 8)
y = torch.randint(4, (800,))
x = proto[y] + torch.randn(800, 3, 8, 8)
train = DataLoader(TensorDataset(x[:640], y[:640]), 8, shuffle=True)
val = DataLoader(TensorDataset(x[640:], y[640:]), 80)
model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(5):
    model.train()
    optimizer.zero_grad()
    for i, (images, labels) in enumerate(train):
        loss = criterion(model(images), labels)
        loss.backward()
        if (i + 1) % ACCUM == 0:
            optimizer.step()
            optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        hits = sum((model(a).argmax(1) == b).sum().item() for a, b in val)
    print(epoch, loss.item(), hits / 160)
