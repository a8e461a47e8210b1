import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
enc = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16)); proj = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 8))
opt = torch.optim.Adam([*enc.parameters(), *proj.parameters()], 1e-3); X = torch.randn(256, 12); Y = (X[:, 0] > 0).long()
def nt_xent(a, b, t=.5):
    z = F.normalize(torch.cat([a, b]), dim=1); n = len(a); sim = z @ z.t() / t
    sim.fill_diagonal_(float("-inf"))
    return F.cross_entropy(sim, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), 64, shuffle=True, drop_last=True)
for ep in range(4):
    for (x,) in dl:
        v1, v2 = x + .2 * torch.randn_like(x), x + .2 * torch.randn_like(x)
        loss = nt_xent(proj(enc(v1)), proj(enc(v2))); opt.zero_grad(); loss.backward(); opt.step()
    print(ep, loss.item())
# linear probe
enc.eval(); enc.requires_grad_(False); probe = nn.Linear(16, 2); po = torch.optim.SGD(probe.parameters(), 0.1)
with torch.no_grad(): Z = enc(X)
for ep in range(10):
    for i in torch.randperm(200).split(40): po.zero_grad(); F.cross_entropy(probe(Z[i]), Y[i]).backward(); po.step()
with torch.no_grad(): print((probe(Z[200:]).argmax(1) == Y[200:]).float().mean().item())
