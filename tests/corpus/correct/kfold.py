import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, Subset
torch.manual_seed(42)
X = torch.randn(200, 6); y = (X[:, 0] > 0).long(); ds = TensorDataset(X, y)
folds = torch.randperm(200).chunk(4); scores = []
for k in range(4):
    va = folds[k].tolist(); tr = torch.cat([f for j, f in enumerate(folds) if j != k]).tolist()
    tl = DataLoader(Subset(ds, tr), 25, shuffle=True); vl = DataLoader(Subset(ds, va), 25)
    net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2)); opt = torch.optim.Adam(net.parameters(), 1e-2)
    for ep in range(2):
        net.train()
        for a, b in tl:
            opt.zero_grad(); nn.functional.cross_entropy(net(a), b).backward(); opt.step()
    net.eval(); c = 0
    with torch.no_grad():
        for a, b in vl: c += (net(a).argmax(1) == b).sum().item()
    scores.append(c / len(va)); print("fold", k, scores[-1])
print(sum(scores) / 4)
