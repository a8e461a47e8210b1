"""Five-fold cross-validation: a new model and a new optimizer for each fold, statistics from the fold's training part."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(200, 8) * torch.tensor([1., 5, 2, 1, 1, 3, 1, 1]) + 4
y = ((X[:, 0] - 4) * (X[:, 1] - 4) > 0).float().unsqueeze(1)
folds = torch.randperm(200).chunk(5)
scores = []
for k in range(5):
    val = folds[k]
    tr = torch.cat([f for j, f in enumerate(folds) if j != k])
    mu, sd = X[tr].mean(0), X[tr].std(0)
    norm = lambda t: (t - mu) / sd
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(model.parameters(), lr=2e-2)
    lossf = nn.BCEWithLogitsLoss()
    dl = DataLoader(TensorDataset(norm(X[tr]), y[tr]), batch_size=40, shuffle=True)
    for _ in range(15):
        for xb, yb in dl:
            opt.zero_grad()
            lossf(model(xb), yb).backward()
            opt.step()
    with torch.no_grad():
        acc = ((model(norm(X[val])) > 0) == (y[val] > 0.5)).float().mean().item()
    scores.append(acc)
    print(f"fold {k}: {acc:.3f}")
print("mean", sum(scores) / 5)
