import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
on = nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 8)); pr = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)); tg = copy.deepcopy(on)
for p in tg.parameters(): p.requires_grad = False
opt = torch.optim.SGD(list(on.parameters()) + list(pr.parameters()), .05, momentum=.9, weight_decay=1e-4); X = torch.randn(256, 10)
for e in range(3):
    for i in torch.randperm(256).split(64):
        a, b = X[i] + .1 * torch.randn(len(i), 10), X[i] + .1 * torch.randn(len(i), 10)
        with torch.no_grad(): za, zb = tg(a), tg(b)
        loss = 2 - F.cosine_similarity(pr(on(a)), zb).mean() - F.cosine_similarity(pr(on(b)), za).mean()
        opt.zero_grad(); loss.backward(); opt.step()
        with torch.no_grad():
            for p, q in zip(on.parameters(), tg.parameters()): q.mul_(.99).add_(p, alpha=.01)
    print(e, loss.item())
