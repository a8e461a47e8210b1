import copy, torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(300, 10); y = X[:, :1] + 0.5 * torch.randn(300, 1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:100], y[:100]), 16, shuffle=True)
vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[100:], y[100:]), 64)
m = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1)); opt = torch.optim.Adam(m.parameters(), 1e-2)
sch = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
best, bad, state, patience = float("inf"), 0, None, 4
for ep in range(25):
    m.train()
    for a, b in dl:
        opt.zero_grad(); nn.functional.mse_loss(m(a), b).backward(); opt.step()
    m.eval(); s = 0.0
    with torch.no_grad():
        for a, b in vl: s += nn.functional.mse_loss(m(a), b, reduction="sum").item()
    v = s / len(vl.dataset); sch.step(v); print(ep, v, opt.param_groups[0]["lr"])
    if v < best: best, bad, state = v, 0, copy.deepcopy(m.state_dict())
    else:
        bad += 1
        if bad >= patience: print("stop"); break
m.load_state_dict(state)
