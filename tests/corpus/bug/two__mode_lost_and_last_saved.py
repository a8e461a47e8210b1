"""Never back to train(), and the file called best holds the last epoch."""
import torch
from torch import nn


class Fit:
    def __init__(self, net):
        self.net, self.best = net, 0.0
        self.opt = torch.optim.Adam(net.parameters(), lr=2e-2)

    def learn(self, x, y):
        for i in torch.randperm(len(x)).split(10):
            self.opt.zero_grad()
            nn.functional.cross_entropy(self.net(x[i]), y[i]).backward()
            self.opt.step()

    def judge(self, x, y):
        self.net.eval()
        with torch.no_grad():
            acc = (self.net(x).argmax(1) == y).float().mean().item()
        self.best = max(acc, self.best)
        torch.save(self.net.state_dict(), "best.pt")
        return acc


torch.manual_seed(2)
x, xv = torch.randn(60, 8), torch.randn(100, 8)
noise = lambda t: (t[:, 0] + 0.8 * torch.randn(len(t)) > 0).long()
y, yv = noise(x), noise(xv)
fit = Fit(nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2)))
for epoch in range(10):
    fit.learn(x, y)
    print(epoch, fit.judge(xv, yv), "best", fit.best)
