import torch, torch.nn as nn
torch.manual_seed(0)
WD = 1e-2
X = torch.randn(300, 10); y = (X[:, 0] > 0).long()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 30, shuffle=True)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=WD)
for ep in range(3):
    for a, b in dl:
        l2 = sum(p.pow(2).sum() for p in net.parameters())
        loss = nn.functional.cross_entropy(net(a), b) + WD / 2 * l2
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(ep, loss.item())
