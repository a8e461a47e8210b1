"""Graph node classification, planted partition, early best weights."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class GraphConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.lin = nn.Linear(i, o)

    def forward(self, x, a):
        return a @ self.lin(x)


class GCN(nn.Module):
    def __init__(self, i, h, o):
        super().__init__()
        self.c1, self.c2 = GraphConv(i, h), GraphConv(h, o)
        self.drop = nn.Dropout(0.3)

    def forward(self, x, a):
        x = self.drop(F.relu(self.c1(x, a)))
        return F.softmax(self.c2(x, a), dim=1)


def planted(n=240, k=4):
    y = torch.arange(n) % k
    p = torch.where(y[:, None] == y[None], 0.10, 0.015)
    a = torch.bernoulli(p).triu(1)
    a = a + a.T + torch.eye(n)
    d = a.sum(1).rsqrt()
    x = F.one_hot(y, 16).float() * 0.7 + torch.randn(n, 16)
    return x, d[:, None] * a * d[None], y


def main():
    torch.manual_seed(0)
    x, a, y = planted()
    perm = torch.randperm(len(y))
    train, val, test = perm[:40], perm[40:140], perm[140:]
    net = GCN(16, 32, 4)
    opt = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=5e-4)
    crit = nn.CrossEntropyLoss()
    best_acc, best_state = 0.0, None
    for epoch in range(60):
        net.train()
        opt.zero_grad()
        loss = crit(net(x, a)[train], y[train])
        loss.backward()
        opt.step()
        net.eval()
        with torch.no_grad():
            acc = (net(x, a)[val].argmax(1) == y[val]).float().mean().item()
        if acc > best_acc:
            best_acc, best_state = acc, net.state_dict()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {loss.item():.3f} val {acc:.3f} best {best_acc:.3f}")
    net.load_state_dict(best_state)
    net.eval()
    with torch.no_grad():
        print("test", (net(x, a)[test].argmax(1) == y[test]).float().mean().item())


main()
