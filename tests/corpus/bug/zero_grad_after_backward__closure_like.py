import torch
import torch.nn as nn
import torch.nn.functional as F


class Learner:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.RMSprop(model.parameters(), lr=lr)

    def compute_gradients(self, x, y):
        loss = F.smooth_l1_loss(self.model(x), y)
        loss.backward()
        return loss

    def apply_gradients(self):
        self.opt.zero_grad()
        self.opt.step()

    def learn(self, x, y):
        loss = self.compute_gradients(x, y)
        self.apply_gradients()
        return loss.item()


x = torch.randn(500, 6)
y = (x[:, :1] * x[:, 1:2]) + x[:, 2:3]
learner = Learner(nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1)), lr=1e-3)
for epoch in range(10):
    perm = torch.randperm(500)
    losses = [learner.learn(x[i], y[i]) for i in perm.split(50)]
    print("epoch", epoch, "loss", sum(losses) / len(losses))
