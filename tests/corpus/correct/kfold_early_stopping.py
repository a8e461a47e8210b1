"""k-fold cross-validation with early stopping and a fresh model, scaler and optimizer in each fold."""
import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

rng = np.random.default_rng(0)
X = rng.normal(loc=3.0, scale=[1, 5, 0.1, 2], size=(400, 4)).astype(np.float32)
w = np.array([0.5, -0.2, 4.0, 0.3], dtype=np.float32)
y = (X @ w + 0.2 * rng.normal(size=400)).astype(np.float32)
torch.manual_seed(0)


class EarlyStopping:
    def __init__(self, patience=4, delta=1e-4):
        self.patience, self.delta = patience, delta
        self.best, self.bad, self.state = float("inf"), 0, None

    def __call__(self, value, model):
        if value < self.best - self.delta:
            self.best, self.bad, self.state = value, 0, copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def kfold(n, k):
    parts = np.array_split(rng.permutation(n), k)
    for i in range(k):
        yield np.concatenate(parts[:i] + parts[i + 1:]), parts[i]


scores = []
for fold, (train_idx, val_idx) in enumerate(kfold(len(X), 4)):
    mean, std = X[train_idx].mean(0), X[train_idx].std(0)
    data = TensorDataset(torch.from_numpy((X - mean) / std), torch.from_numpy(y).unsqueeze(1))
    train = DataLoader(data, batch_size=25, sampler=SubsetRandomSampler(train_idx.tolist()))
    val = DataLoader(data, batch_size=100, sampler=val_idx.tolist())
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.05), nn.Linear(16, 1))
    opt = torch.optim.RMSprop(model.parameters(), lr=5e-3)
    stop = EarlyStopping()
    for epoch in range(25):
        model.train()
        for xb, yb in train:
            loss = nn.functional.mse_loss(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            error = sum(nn.functional.mse_loss(model(xb), yb, reduction="sum").item() for xb, yb in val) / len(val_idx)
        if stop(error, model):
            break
    model.load_state_dict(stop.state)
    scores.append(stop.best)
    print(f"fold {fold}: stopped after {epoch + 1} epochs, best mse {stop.best:.4f}")
print(f"cross-validated mse: {np.mean(scores):.4f} +- {np.std(scores):.4f}")
