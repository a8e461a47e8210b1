"""OneCycleLR planned in batches, stepped in epochs: the rate never leaves its start."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train(model, loader, epochs):
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=epochs * len(loader))
    for epoch in range(epochs):
        model.train()
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
        cycle.step()
        print(epoch, cycle.get_last_lr(), loss.item())


torch.manual_seed(0)
x = torch.randn(600, 8)
y = (x ** 2).argmax(1)
train(nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8)), DataLoader(TensorDataset(x, y), 30, shuffle=True), 5)
