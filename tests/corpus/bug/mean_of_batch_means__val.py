import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(510, 6); y = (X[:, 0] > 0.3).long()
tl = DataLoader(TensorDataset(X[:400], y[:400]), 50, shuffle=True)
vl = DataLoader(TensorDataset(X[400:], y[400:]), 50)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
ce = nn.CrossEntropyLoss()
def evaluate(model, loader):
    model.eval()
    losses, accs = [], []
    with torch.no_grad():
        for a, b in loader:
            out = model(a)
            losses.append(ce(out, b).item())
            accs.append((out.argmax(1) == b).float().mean().item())
    return sum(losses) / len(losses), sum(accs) / len(accs)
for ep in range(3):
    model.train()
    for a, b in tl:
        opt.zero_grad(); ce(model(a), b).backward(); opt.step()
    vloss, vacc = evaluate(model, vl)
    print(f"{ep} val loss {vloss:.4f} val acc {vacc:.4f}")
