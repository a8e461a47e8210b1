import torch, torch.nn as nn
class Learner:
    def __init__(self, net, lr):
        self.net, self.opt = net, torch.optim.SGD(net.parameters(), lr=lr)
    def step(self, x, y):
        self.opt.zero_grad()
        loss = ((self.net(x) - y) ** 2).mean()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 0.5)
        loss.backward()
        self.opt.step()
        return loss.item()
torch.manual_seed(2)
L = Learner(nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 1)), 0.05)
for i in range(60):
    x = torch.rand(32, 2) * 4 - 2
    l = L.step(x, (x[:, :1] * x[:, 1:]))
print(l)
