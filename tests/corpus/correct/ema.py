import copy, torch, torch.nn as nn
torch.manual_seed(0)
class EMA:
    def __init__(self, m, d=0.99):
        self.m = copy.deepcopy(m).eval(); self.d = d
        for p in self.m.parameters(): p.requires_grad_(False)
    @torch.no_grad()
    def update(self, m):
        for e, p in zip(self.m.parameters(), m.parameters()): e.lerp_(p, 1 - self.d)
X = torch.randn(400, 8); y = (X[:, 0] > 0).long()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:300], y[:300]), 30, shuffle=True)
m = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2)); ema = EMA(m); opt = torch.optim.Adam(m.parameters(), 1e-2)
for ep in range(4):
    m.train()
    for a, b in dl:
        loss = nn.functional.cross_entropy(m(a), b); opt.zero_grad(); loss.backward(); opt.step(); ema.update(m)
    with torch.no_grad(): print(ep, (ema.m(X[300:]).argmax(1) == y[300:]).float().mean().item())
