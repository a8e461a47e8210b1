"""Bayesian personalised ranking on implicit feedback, terse competition style."""
import numpy as np, torch, torch.nn.functional as F
from torch import nn
rs = np.random.RandomState(7); torch.manual_seed(7)
U, I, D = 120, 80, 8
taste, kind = rs.randn(U, 3), rs.randn(I, 3)
aff = taste @ kind.T
pos = [np.argsort(-aff[u])[:12] for u in range(U)]
held = {u: p[rs.randint(12)] for u, p in enumerate(pos)}
pairs = np.array([(u, i) for u in range(U) for i in pos[u] if i != held[u]])
seen = [set(p) - {held[u]} for u, p in enumerate(pos)]


class BPR(nn.Module):
    def __init__(s):
        super().__init__()
        s.u, s.i, s.b = nn.Embedding(U, D), nn.Embedding(I, D), nn.Embedding(I, 1)
        for e in (s.u, s.i): nn.init.normal_(e.weight, std=.1)
        nn.init.zeros_(s.b.weight)

    def forward(s, u, i): return (s.u(u) * s.i(i)).sum(-1) + s.b(i).squeeze(-1)


def negatives(users):
    out = rs.randint(0, I, len(users))
    for k, u in enumerate(users):
        while out[k] in seen[u]: out[k] = rs.randint(0, I)
    return out


def hit_at(k=10):
    with torch.no_grad():
        s = net.u.weight @ net.i.weight.T + net.b.weight.T
    hits = 0
    for u in range(U):
        row = s[u].clone(); row[list(seen[u])] = -1e9
        hits += held[u] in row.topk(k).indices.tolist()
    return hits / U


net = BPR(); opt = torch.optim.Adam(net.parameters(), 2e-2)
for ep in range(12):
    perm = rs.permutation(len(pairs)); tot = 0.
    for s in range(0, len(perm), 128):
        b = pairs[perm[s:s + 128]]; u, i = map(torch.as_tensor, b.T.copy()); j = torch.as_tensor(negatives(b[:, 0]))
        d = net(u, i) - net(u, j)
        l = -F.logsigmoid(d).mean() + 1e-4 * (net.u(u).pow(2).sum(1) + net.i(i).pow(2).sum(1) + net.i(j).pow(2).sum(1)).mean()
        opt.zero_grad(); l.backward(); opt.step(); tot += l.item() * len(b)
    print(ep, f'{tot / len(perm):.4f}', f'hit@10 {hit_at():.3f}')
