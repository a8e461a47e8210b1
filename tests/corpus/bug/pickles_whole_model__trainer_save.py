"""A trainer whose save() puts the whole module into a dictionary."""
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, optimizer, out="runs/exp1"):
        self.model, self.optimizer = model, optimizer
        self.out = Path(out)
        self.out.mkdir(parents=True, exist_ok=True)

    def train(self, loader, epochs):
        for self.epoch in range(epochs):
            self.model.train()
            for x, y in loader:
                self.optimizer.zero_grad()
                self.loss = nn.functional.cross_entropy(self.model(x), y)
                self.loss.backward()
                self.optimizer.step()
            self.save("last.pt")
            print(self.epoch, self.loss.item())

    def save(self, name):
        torch.save({"epoch": self.epoch, "net": self.model, "optim": self.optimizer.state_dict()}, self.out / name)


x = torch.randn(400, 9)
y = (x[:, 0] * x[:, 1] > 0).long()
model = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 2))
Trainer(model, torch.optim.Adam(model.parameters(), 5e-3)).train(DataLoader(TensorDataset(x, y), 40, shuffle=True), 5)
restored = torch.load("runs/exp1/last.pt", weights_only=False)["net"].eval()
with torch.no_grad():
    print("restored accuracy", (restored(x).argmax(1) == y).float().mean().item())
