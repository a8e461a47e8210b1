import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(400, 6) * torch.tensor([1., 10, 3, 5, 1, 2]) + torch.tensor([0., 50, -3, 7, 1, 0])
y = ((X[:, 1] - 50) / 10 + X[:, 0] > 0).long()
X = (X - X.mean(dim=0)) / X.std(dim=0)
X_train, X_test, y_train, y_test = X[:300], X[300:], y[:300], y[300:]
train = DataLoader(TensorDataset(X_train, y_train), batch_size=30, shuffle=True)
test = DataLoader(TensorDataset(X_test, y_test), batch_size=50)
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(4):
    for xb, yb in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(xb), yb).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test) / 100)
