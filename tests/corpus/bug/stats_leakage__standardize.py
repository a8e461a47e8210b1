import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(500, 6) * 4 + 3
y = (X[:, :1] * 0.7 - X[:, 1:2])
X = (X - X.mean(0)) / X.std(0)
X_train, X_test = X[:400], X[400:]
y_train, y_test = y[:400], y[400:]
dl = DataLoader(TensorDataset(X_train, y_train), batch_size=40, shuffle=True)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
mse = nn.MSELoss()
for epoch in range(5):
    model.train()
    for a, b in dl:
        opt.zero_grad(); loss = mse(model(a), b); loss.backward(); opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, mse(model(X_test), y_test).item())
