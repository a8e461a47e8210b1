import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(500, 8); y = (X[:, 0] > X[:, 1]).long()
mk = lambda a, b: torch.utils.data.DataLoader(torch.utils.data.TensorDataset(a, b), batch_size=25, shuffle=True)
train_dl, val_dl = mk(X[:400], y[:400]), mk(X[400:], y[400:])
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for ep in range(3):
    net.train()
    for a, b in train_dl:
        opt.zero_grad(); nn.functional.cross_entropy(net(a), b).backward(); opt.step()
    net.eval(); ok = 0
    with torch.no_grad():
        for a, b in val_dl:
            ok += (net(a).argmax(1) == b).sum().item()
    print(ep, ok / 100)
