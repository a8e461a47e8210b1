import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(25, 64), nn.Linear(64, 2)

    def forward(self, x):
        return self.b(F.dropout(F.relu(self.a(x)), 0.3))


x = torch.randn(380, 25)
y = ((x[:, :4].sum(1) + 1.5 * torch.randn(380)) > 0).long()
train, val = DataLoader(TensorDataset(x[:80], y[:80]), 20, shuffle=True), DataLoader(TensorDataset(x[80:], y[80:]), 100)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
best_acc, best_state = 0.0, None
for epoch in range(15):
    net.train()
    for a, b in train:
        opt.zero_grad()
        F.cross_entropy(net(a), b).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(a).argmax(1) == b).sum().item() for a, b in val) / 300
    if acc > best_acc:
        best_acc, best_state = acc, net.state_dict()
    print(epoch, acc)
net.load_state_dict(best_state)
net.eval()
with torch.no_grad():
    print("best", best_acc, "now", sum((net(a).argmax(1) == b).sum().item() for a, b in val) / 300)
