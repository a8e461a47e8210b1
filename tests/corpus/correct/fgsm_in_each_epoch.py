import torch
import torch.nn as nn
import torch.nn.functional as F
torch.manual_seed(0)
X = torch.rand(400, 1, 8, 8); w = torch.randn(64, 4); y = (X.flatten(1) @ w).argmax(1)
ds = torch.utils.data.TensorDataset(X, y)
tr, te = torch.utils.data.Subset(ds, range(300)), torch.utils.data.Subset(ds, range(300, 400))
trl = torch.utils.data.DataLoader(tr, 30, shuffle=True); tel = torch.utils.data.DataLoader(te, 20)
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.a = nn.Linear(64, 32); s.b = nn.Linear(32, 4)
    def forward(s, x): return F.log_softmax(s.b(F.relu(s.a(x.flatten(1)))), 1)
net = Net(); opt = torch.optim.Adam(net.parameters(), 1e-2)
def attack(eps):
    net.eval(); correct = 0
    for data, target in tel:
        data.requires_grad = True
        out = net(data)
        loss = F.nll_loss(out, target)
        net.zero_grad()
        loss.backward()
        adv = torch.clamp(data + eps * data.grad.sign(), 0, 1)
        out = net(adv)
        correct += out.argmax(1).eq(target).sum().item()
    return correct / 100
for epoch in range(4):
    net.train()
    for data, target in trl:
        opt.zero_grad()
        loss = F.nll_loss(net(data), target)
        loss.backward(); opt.step()
    print(epoch, loss.item(), attack(0.02))
