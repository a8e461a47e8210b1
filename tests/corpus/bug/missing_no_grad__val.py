import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(20, 30)
        self.dp = nn.Dropout(0.2)
        self.l2 = nn.Linear(30, 5)
    def forward(self, x):
        return self.l2(self.dp(torch.relu(self.l1(x))))

def validate(net, loader, criterion):
    net.eval()
    loss, correct, n = 0.0, 0, 0
    for x, y in loader:
        out = net(x)
        loss += criterion(out, y).item() * y.size(0)
        correct += (out.argmax(1) == y).sum().item()
        n += y.size(0)
    return loss / n, correct / n

def main():
    torch.manual_seed(10)
    X = torch.randn(700, 20); Y = X[:, :5].argmax(1)
    tr = DataLoader(TensorDataset(X[:500], Y[:500]), batch_size=25, shuffle=True)
    va = DataLoader(TensorDataset(X[500:], Y[500:]), batch_size=100)
    net, crit = Net(), nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for ep in range(3):
        net.train()
        for x, y in tr:
            opt.zero_grad()
            crit(net(x), y).backward()
            opt.step()
        print(ep, validate(net, va, crit))
main()
