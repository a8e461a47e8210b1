import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(400, 10); y = X[:, :3].argmax(1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 40, shuffle=True)
m = nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 3)); opt = torch.optim.AdamW(m.parameters(), lr=1e-3)
E = 4; sch = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, epochs=E, steps_per_epoch=len(dl))
for e in range(E):
    for a, b in dl:
        opt.zero_grad(); l = nn.functional.cross_entropy(m(a), b); l.backward(); opt.step(); sch.step()
    print(e, sch.get_last_lr()[0], l.item())
