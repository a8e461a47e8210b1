import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class AC(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Linear(3, 16); s.a = nn.Linear(16, 2); s.c = nn.Linear(16, 1)
    def forward(s, x): h = F.relu(s.b(x)); return F.softmax(s.a(h), -1), s.c(h)
m = AC(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for ep in range(10):
    lps, vs, rs = [], [], []; s = torch.randn(3)
    for t in range(15):
        p, v = m(s); d = torch.distributions.Categorical(p); a = d.sample()
        lps.append(d.log_prob(a)); vs.append(v); rs.append(float((s[0] > 0) == bool(a))); s = torch.randn(3)
    R, rets = 0., []
    for r in reversed(rs): R = r + .9 * R; rets.insert(0, R)
    rets = torch.tensor(rets); rets = (rets - rets.mean()) / (rets.std() + 1e-6)
    pl, vl = [], []
    for lp, v, R in zip(lps, vs, rets):
        pl.append(-lp * (R - v.item())); vl.append(F.smooth_l1_loss(v, R.view(1)))
    opt.zero_grad(); loss = torch.stack(pl).sum() + torch.stack(vl).sum(); loss.backward(); opt.step(); print(ep, sum(rs))
