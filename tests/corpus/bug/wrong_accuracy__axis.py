import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(600, 10); y = X.argmax(1)
tl = DataLoader(TensorDataset(X[:500], y[:500]), 10, shuffle=True)
vl = DataLoader(TensorDataset(X[500:], y[500:]), 10)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for ep in range(3):
    model.train()
    for a, b in tl:
        opt.zero_grad(); nn.functional.cross_entropy(model(a), b).backward(); opt.step()
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for a, b in vl:
            pred = torch.argmax(model(a), dim=0)
            correct += (pred == b).sum().item()
            total += b.size(0)
    print("val accuracy", correct / total)
