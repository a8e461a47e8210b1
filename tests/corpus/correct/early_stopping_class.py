"""Early stopping: stop when `patience` epochs in a row brought nothing; go back to the best weights."""
import copy

import torch
from torch import nn


class EarlyStopping:
    def __init__(self, patience=3, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best = float("inf")
        self.bad_epochs = 0
        self.weights = None

    def step(self, value, model):
        if value < self.best - self.min_delta:
            self.best, self.bad_epochs = value, 0
            self.weights = copy.deepcopy(model.state_dict())
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


torch.manual_seed(0)
X = torch.randn(60, 10)
y = X[:, :1] + 0.7 * torch.randn(60, 1)
Xv = torch.randn(80, 10)
yv = Xv[:, :1] + 0.7 * torch.randn(80, 1)
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
stopper = EarlyStopping(patience=3)
for epoch in range(100):
    model.train()
    for b in torch.randperm(60).split(12):
        opt.zero_grad()
        nn.functional.mse_loss(model(X[b]), y[b]).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        val = nn.functional.mse_loss(model(Xv), yv).item()
    print(epoch, f"{val:.4f}")
    if stopper.step(val, model):
        print("stopped after epoch", epoch)
        break
model.load_state_dict(stopper.weights)
