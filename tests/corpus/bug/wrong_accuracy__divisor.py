import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(600, 10); y = (X[:, 0] > 0).long()
tl = DataLoader(TensorDataset(X[:500], y[:500]), 50, shuffle=True)
vl = DataLoader(TensorDataset(X[500:], y[500:]), 25)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
def accuracy(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, t in loader:
            correct += (model(x).argmax(1) == t).sum().item()
    return correct / len(loader)
for ep in range(3):
    model.train()
    for a, b in tl:
        opt.zero_grad(); nn.functional.cross_entropy(model(a), b).backward(); opt.step()
    print(ep, "accuracy:", accuracy(model, vl))
