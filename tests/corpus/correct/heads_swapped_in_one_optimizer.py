import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 24), nn.ReLU()); self.head = nn.Linear(24, k)
    def forward(self, x): return self.head(self.body(x))
def data(k, n):
    c = torch.randn(k, 10) * 2; y = torch.randint(k, (n,)); return TensorDataset(c[y] + torch.randn(n, 10), y)
def fit(net, loader, opt, epochs):
    for e in range(epochs):
        for a, b in loader:
            opt.zero_grad(); loss = nn.functional.cross_entropy(net(a), b); loss.backward(); opt.step()
        print(e, loss.item())
net = Net(6); opt = torch.optim.Adam(net.parameters(), 5e-3)
fit(net, DataLoader(data(6, 300), 30, shuffle=True), opt, 3)
net.head = nn.Linear(24, 3)
opt.param_groups.clear(); opt.state.clear()
opt.add_param_group({"params": list(net.parameters())})
fit(net, DataLoader(data(3, 300), 30, shuffle=True), opt, 3)
# and by a second group that joins later, the old head left in
net.head = nn.Linear(24, 4)
opt.add_param_group({"params": net.head.parameters(), "lr": 1e-2})
fit(net, DataLoader(data(4, 300), 30, shuffle=True), opt, 3)
