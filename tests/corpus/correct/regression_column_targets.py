"""House prices: predictions (N, 1) against targets (N, 1)."""
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

rng = np.random.RandomState(0)
X = rng.uniform(0, 1, (500, 8))
y = X @ rng.uniform(-2, 5, 8) + np.sin(6 * X[:, 0]) + 0.1 * rng.randn(500)
split = 400
mean, std = X[:split].mean(0), X[:split].std(0)
X = (X - mean) / std
X_train = torch.tensor(X[:split], dtype=torch.float32)
y_train = torch.tensor(y[:split], dtype=torch.float32).reshape(-1, 1)
X_test = torch.tensor(X[split:], dtype=torch.float32)
y_test = torch.tensor(y[split:], dtype=torch.float32).reshape(-1, 1)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
loss_fn = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.005)
batch_start = torch.arange(0, len(X_train), 20)
best_mse = np.inf
for epoch in range(12):
    model.train()
    shuffle = torch.randperm(len(X_train))
    Xs, ys = X_train[shuffle], y_train[shuffle]
    for start in batch_start:
        loss = loss_fn(model(Xs[start:start + 20]), ys[start:start + 20])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        mse = float(loss_fn(model(X_test), y_test))
    best_mse = min(best_mse, mse)
print("MSE: %.3f" % best_mse)
print("RMSE: %.3f" % np.sqrt(best_mse))
