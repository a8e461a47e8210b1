"""learner with callbacks sorted by their order attribute"""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    order = 0


class ZeroCB(Callback):
    order = 0

    def before_batch(self, learn):
        learn.opt.zero_grad()


class StepCB(Callback):
    order = 10

    def after_loss(self, learn):
        learn.opt.step()


class BackwardCB(Callback):
    order = 20

    def after_loss(self, learn):
        learn.loss.backward()


class RecorderCB(Callback):
    order = 50

    def after_loss(self, learn):
        learn.losses.append(learn.loss.item())


class Learner:
    def __init__(self, model, dls, loss_func, opt, cbs):
        self.model, self.dls, self.loss_func, self.opt = model, dls, loss_func, opt
        self.cbs = sorted(cbs, key=lambda c: c.order)
        self.losses = []

    def __call__(self, name):
        for cb in self.cbs:
            f = getattr(cb, name, None)
            if f is not None:
                f(self)

    def fit(self, n):
        for e in range(n):
            self.model.train()
            for self.xb, self.yb in self.dls[0]:
                self("before_batch")
                self.loss = self.loss_func(self.model(self.xb), self.yb)
                self("after_loss")
            self.model.eval()
            with torch.no_grad():
                err = sum((self.model(x) - y).abs().sum().item() for x, y in self.dls[1]) / len(self.dls[1].dataset)
            print(f"epoch {e}  train {self.losses[-1]:.4f}  val mae {err:.4f}")


torch.manual_seed(5)
x = torch.rand(1000, 4)
y = (x.prod(1, keepdim=True) * 8 + x[:, :1]).sqrt()
dls = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True), DataLoader(TensorDataset(x[800:], y[800:]), 100)
model = nn.Sequential(nn.Linear(4, 30), nn.ReLU(), nn.Linear(30, 1))
Learner(model, dls, nn.MSELoss(), torch.optim.Adam(model.parameters(), 1e-2), [RecorderCB(), StepCB(), ZeroCB(), BackwardCB()]).fit(5)
