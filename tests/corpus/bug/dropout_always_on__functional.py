import torch, torch.nn as nn, torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(10, 32); self.b = nn.Linear(32, 3)
    def forward(self, x):
        x = F.relu(self.a(x))
        x = F.dropout(x, p=0.4)
        return self.b(x)
torch.manual_seed(0)
X = torch.randn(400, 10); y = X[:, :3].argmax(1)
tl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:300], y[:300]), 30, shuffle=True)
net = Net(); opt = torch.optim.Adam(net.parameters(), 1e-2)
for ep in range(3):
    net.train()
    for a, b in tl:
        opt.zero_grad(); F.cross_entropy(net(a), b).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        print((net(X[300:]).argmax(1) == y[300:]).float().mean().item())
