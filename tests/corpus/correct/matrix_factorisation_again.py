import torch, torch.nn as nn
torch.manual_seed(0)
class MF(nn.Module):
    def __init__(s, u, i, k=6):
        super().__init__(); s.u, s.i, s.bu, s.bi = nn.Embedding(u, k), nn.Embedding(i, k), nn.Embedding(u, 1), nn.Embedding(i, 1)
    def forward(s, a, b): return (s.u(a) * s.i(b)).sum(1) + s.bu(a).squeeze(1) + s.bi(b).squeeze(1)
u, i = torch.randint(0, 40, (1000,)), torch.randint(0, 30, (1000,)); r = 3 + torch.randn(40)[u] + torch.randn(30)[i]
ds = torch.utils.data.TensorDataset(u, i, r); tr, te = torch.utils.data.random_split(ds, [800, 200], generator=torch.Generator().manual_seed(42))
m = MF(40, 30); opt = torch.optim.Adam(m.parameters(), 2e-2, weight_decay=1e-5); tl, vl = torch.utils.data.DataLoader(tr, 50, shuffle=True), torch.utils.data.DataLoader(te, 50)
for e in range(4):
    m.train()
    for a, b, c in tl: opt.zero_grad(); nn.functional.mse_loss(m(a, b), c).backward(); opt.step()
    m.eval(); se = 0
    with torch.inference_mode():
        for a, b, c in vl: se += ((m(a, b) - c) ** 2).sum().item()
    print(e, "rmse", (se / 200) ** .5)
