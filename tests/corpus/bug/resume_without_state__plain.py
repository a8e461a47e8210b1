import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(320, 6)
Y = X[:, :1] * X[:, 1:2]
loader = DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=True)


def train(until):
    model = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    start_epoch = 0
    if os.path.exists("checkpoint.pth"):
        checkpoint = torch.load("checkpoint.pth")
        model.load_state_dict(checkpoint["model"])
        start_epoch = checkpoint["epoch"] + 1
        print("resuming from epoch", start_epoch)
    for epoch in range(start_epoch, until):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, "checkpoint.pth")
        print(epoch, loss.item())


train(3)
train(6)
