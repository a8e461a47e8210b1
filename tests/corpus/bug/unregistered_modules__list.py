import torch, torch.nn as nn
class DeepNet(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.inp = nn.Linear(4, width)
        self.hidden = [nn.Linear(width, width) for _ in range(depth)]
        self.out = nn.Linear(width, 1)
    def forward(self, x):
        x = torch.relu(self.inp(x))
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.out(x)
torch.manual_seed(0)
X = torch.randn(300, 4); y = (X ** 2).sum(1, keepdim=True)
net = DeepNet(16, 3)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for i in range(60):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(X), y)
    loss.backward()
    opt.step()
print(loss.item())
