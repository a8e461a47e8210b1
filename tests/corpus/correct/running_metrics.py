import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(330, 6); y = X[:, :4].argmax(1); dl = DataLoader(TensorDataset(X[:250], y[:250]), 32, shuffle=True); vl = DataLoader(TensorDataset(X[250:], y[250:]), 32)
class Meter:
    def __init__(s): s.s = s.n = 0
    def update(s, v, n=1): s.s += v * n; s.n += n
    @property
    def avg(s): return s.s / s.n
def topk(o, t, k): return o.topk(k, 1).indices.eq(t.view(-1, 1)).any(1).float().mean().item() * 100
m = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4)); opt = torch.optim.SGD(m.parameters(), .1, momentum=.9, weight_decay=5e-4); sch = torch.optim.lr_scheduler.MultiStepLR(opt, [2, 3]); crit = nn.CrossEntropyLoss()
for e in range(4):
    m.train(); L = Meter()
    for a, b in dl: l = crit(m(a), b); opt.zero_grad(); l.backward(); opt.step(); L.update(l.item(), len(a))
    sch.step(); m.eval(); V, A1, A2 = Meter(), Meter(), Meter()
    with torch.no_grad():
        for a, b in vl: out = m(a); V.update(crit(out, b).item(), len(a)); A1.update(topk(out, b, 1), len(a)); A2.update(topk(out, b, 2), len(a))
    print(f"{e} train {L.avg:.4f} val {V.avg:.4f} acc@1 {A1.avg:.2f} acc@2 {A2.avg:.2f}")
