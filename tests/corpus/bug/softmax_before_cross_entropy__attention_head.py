"""Attention pooling over a bag of instances; the head ends in a softmax 'so that it is a probability'."""
import torch
import torch.nn as nn


class AttentionMIL(nn.Module):
    def __init__(self, d=8, h=16, classes=3):
        super().__init__()
        self.v = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Linear(h, 1))
        self.cls = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, classes))
        self.normalise = nn.Softmax(dim=-1)

    def forward(self, bags):
        a = torch.softmax(self.v(bags), dim=1)
        pooled = (a * bags).sum(1)
        return self.normalise(self.cls(pooled))


def bags(n, keys):
    y = torch.randint(3, (n,))
    x = torch.randn(n, 6, 8)
    where = torch.randint(6, (n,))
    x[torch.arange(n), where] = keys[y] * 2 + 0.3 * torch.randn(n, 8)
    return x, y


keys = torch.randn(3, 8)
x, y = bags(900, keys)
xt, yt = bags(200, keys)
model = AttentionMIL()
objective = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(8):
    model.train()
    for i in torch.randperm(900).split(45):
        opt.zero_grad()
        loss = objective(model(x[i]), y[i])
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, loss.item(), (model(xt).argmax(-1) == yt).float().mean().item())
