import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(500, 6) * 4 + 3; y = (X[:, 0] > 3).long()
mu, sd = X[:400].mean(0), X[:400].std(0); X = (X - mu) / sd
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:400], y[:400]), 40, shuffle=True); vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[400:], y[400:]), 50)
m = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2)); o = torch.optim.Adam(m.parameters(), 1e-2)
for e in range(3):
    m.train()
    for a, b in dl: o.zero_grad(); nn.functional.cross_entropy(m(a), b).backward(); o.step()
    m.eval()
    with torch.no_grad(): print(sum((m(a).argmax(1) == b).sum().item() for a, b in vl) / 100)
