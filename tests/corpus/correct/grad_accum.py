import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(480, 10); y = (X[:, 0] > 0).long(); K = 4
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 8, shuffle=True)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2)); opt = torch.optim.SGD(net.parameters(), 0.1)
opt.zero_grad()
for ep in range(3):
    for i, (a, b) in enumerate(dl):
        loss = nn.functional.cross_entropy(net(a), b) / K
        loss.backward()
        if (i + 1) % K == 0 or i + 1 == len(dl):
            opt.step(); opt.zero_grad()
    print(ep, loss.item() * K)
