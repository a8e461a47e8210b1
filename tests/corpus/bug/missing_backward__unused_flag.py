"""A trainer with a switch for training that is never on."""
import torch
from torch import nn


class Learner:
    def __init__(self, model):
        self.model = model
        self.opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
        self.is_training = False

    def one_batch(self, x, y):
        loss = nn.functional.huber_loss(self.model(x), y)
        self.opt.zero_grad()
        if self.is_training:
            loss.backward()
        self.opt.step()
        return loss.item()

    def fit(self, x, y, epochs):
        for epoch in range(epochs):
            self.model.train()
            losses = [self.one_batch(x[i], y[i]) for i in torch.randperm(len(x)).split(25)]
            print(epoch, sum(losses) / len(losses))


torch.manual_seed(0)
x = torch.randn(250, 3)
Learner(nn.Sequential(nn.Linear(3, 20), nn.ReLU(), nn.Linear(20, 1))).fit(x, x.sum(1, keepdim=True).sin(), 4)
