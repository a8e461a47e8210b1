import torch, torch.nn as nn
torch.manual_seed(0)
ACCUM_STEPS = 4
X = torch.randn(512, 10); y = (X[:, 0] > 0).long()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 16, shuffle=True)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
crit = nn.CrossEntropyLoss()
for ep in range(3):
    opt.zero_grad()
    for i, (a, b) in enumerate(dl):
        loss = crit(net(a), b)
        loss.backward()
        if (i + 1) % ACCUM_STEPS == 0:
            opt.step()
            opt.zero_grad()
    print(ep, loss.item())
