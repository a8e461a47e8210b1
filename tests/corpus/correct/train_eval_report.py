import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(500, 6); y = (X[:, 0] > 0).long()
train_loader = DataLoader(TensorDataset(X[:400], y[:400]), 40, shuffle=True); test_loader = DataLoader(TensorDataset(X[400:], y[400:]), 50)
m = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(.2), nn.Linear(16, 2)); o = torch.optim.Adam(m.parameters(), 1e-2)
def check_accuracy(loader, model):
    model.eval(); c = n = 0
    with torch.no_grad():
        for a, b in loader: c += (model(a).argmax(1) == b).sum().item(); n += b.size(0)
    model.train(); return c / n
for e in range(3):
    m.train()
    for a, b in train_loader: o.zero_grad(); nn.functional.cross_entropy(m(a), b).backward(); o.step()
    print(e, "train", check_accuracy(train_loader, m), "test", check_accuracy(test_loader, m))
