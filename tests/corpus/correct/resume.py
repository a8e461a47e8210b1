import os, tempfile, torch, torch.nn as nn
torch.manual_seed(0)
P = os.path.join(tempfile.mkdtemp(), "c.pt")
X = torch.randn(200, 5); Y = X[:, :3].argmax(1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), 20, shuffle=True)
def build():
    m = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3)); o = torch.optim.Adam(m.parameters(), 1e-2)
    return m, o, torch.optim.lr_scheduler.StepLR(o, 2, 0.5)
def fit(m, o, s, a, b):
    for e in range(a, b):
        m.train()
        for x, t in dl:
            o.zero_grad(); l = nn.functional.cross_entropy(m(x), t); l.backward(); o.step()
        s.step(); print(e, l.item(), s.get_last_lr())
        torch.save({"m": m.state_dict(), "o": o.state_dict(), "s": s.state_dict(), "e": e}, P)
fit(*build(), 0, 3)
m, o, s = build(); ck = torch.load(P, weights_only=True)
m.load_state_dict(ck["m"]); o.load_state_dict(ck["o"]); s.load_state_dict(ck["s"])
fit(m, o, s, ck["e"] + 1, 6)
