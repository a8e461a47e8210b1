import numpy as np, torch, torch.nn as nn
np.random.seed(0); torch.manual_seed(0)
X = torch.randn(500, 12); y = X[:, :4].argmax(1)
tl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:400], y[:400]), 40, shuffle=True, drop_last=True)
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(inplace=True), nn.Linear(32, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True); crit = nn.CrossEntropyLoss(label_smoothing=0.1)
for ep in range(3):
    net.train(); c = t = 0
    for a, b in tl:
        lam = np.random.beta(1.0, 1.0); idx = torch.randperm(a.size(0))
        out = net(lam * a + (1 - lam) * a[idx])
        loss = lam * crit(out, b) + (1 - lam) * crit(out, b[idx])
        opt.zero_grad(); loss.backward(); opt.step()
        p = out.argmax(1); t += b.size(0)
        c += lam * (p == b).sum().item() + (1 - lam) * (p == b[idx]).sum().item()
    net.eval()
    with torch.no_grad(): print(c / t, (net(X[400:]).argmax(1) == y[400:]).float().mean().item())
