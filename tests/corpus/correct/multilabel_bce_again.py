import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(500, 10); Y = (X[:, :4] + 0.3 * torch.randn(500, 4) > 0.5).float()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:400], Y[:400]), 40, shuffle=True)
m = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Linear(24, 4)); crit = nn.BCEWithLogitsLoss(pos_weight=torch.full((4,), 2.0)); opt = torch.optim.Adam(m.parameters(), 1e-2)
for ep in range(3):
    m.train()
    for a, b in dl: opt.zero_grad(); crit(m(a), b).backward(); opt.step()
    m.eval()
    with torch.no_grad():
        p = (m(X[400:]).sigmoid() > .5).float(); tp = (p * Y[400:]).sum(0); f1 = 2 * tp / (p.sum(0) + Y[400:].sum(0)).clamp(min=1)
    print(ep, "per-label acc", (p == Y[400:]).float().mean(0).tolist(), "f1", f1.mean().item())
