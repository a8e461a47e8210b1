import torch
import torch.nn as nn
import torch.nn.functional as F
torch.manual_seed(0)
X = torch.rand(400, 64); w = torch.randn(64, 4); y = (X @ w).argmax(1)
ds = torch.utils.data.TensorDataset(X, y)
tr, te = torch.utils.data.random_split(ds, [300, 100])
trl = torch.utils.data.DataLoader(tr, 30, shuffle=True); tel = torch.utils.data.DataLoader(te, 20)
net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 4)); opt = torch.optim.SGD(net.parameters(), 0.3)
maps = torch.zeros(64)
for epoch in range(4):
    net.train()
    for data, target in trl:
        opt.zero_grad()
        loss = F.cross_entropy(net(data), target)
        loss.backward(); opt.step()
    net.eval()
    hits = 0
    for data, target in tel:
        data = data.clone().requires_grad_()
        scores = net(data)
        scores.gather(1, target[:, None]).sum().backward()
        maps += data.grad.abs().sum(0)
        hits += (scores.argmax(1) == target).sum().item()
    opt.zero_grad()
    print(epoch, loss.item(), hits / 100, maps.topk(3).indices.tolist())
