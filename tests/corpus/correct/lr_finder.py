import copy, torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(400, 6); y = X @ torch.randn(6, 1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 20, shuffle=True)
m = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1)); crit = nn.MSELoss()
init = copy.deepcopy(m.state_dict())
def find(lo=1e-5, hi=1.0, n=40):
    opt = torch.optim.SGD(m.parameters(), lo); lr, best, log = lo, float("inf"), []
    it = iter(dl)
    for i in range(n):
        try: a, b = next(it)
        except StopIteration: it = iter(dl); a, b = next(it)
        opt.param_groups[0]["lr"] = lr
        opt.zero_grad(); l = crit(m(a), b); l.backward(); opt.step()
        log.append((l.item(), lr)); best = min(best, l.item())
        if l.item() > 10 * best: break
        lr *= (hi / lo) ** (1 / n)
    return min(log)[1] / 10
lr = find(); m.load_state_dict(init); print("lr", lr)
opt = torch.optim.SGD(m.parameters(), lr, momentum=.9)
for e in range(4):
    for a, b in dl: opt.zero_grad(); l = crit(m(a), b); l.backward(); opt.step()
    print(e, l.item())
