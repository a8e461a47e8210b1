"""A learner with exceptions for control flow, events by name, and everything in keyword dictionaries."""
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class CancelFit(Exception): pass


class Learner:
    def __init__(self, model, dls, loss_func, opt_func, lr, cbs=()):
        self.__dict__.update(model=model, dls=dls, loss_func=loss_func, opt=opt_func(model.parameters(), lr=lr), cbs=cbs)

    def __getattr__(self, name):
        if name in ("predict", "get_loss", "backward", "step", "zero_grad"):
            return partial(self.callback, name)
        raise AttributeError(name)

    def callback(self, name):
        for cb in self.cbs:
            getattr(cb, name, lambda l: None)(self)

    def one_batch(self):
        self.predict()
        self.get_loss()
        if self.training:
            self.backward(); self.step(); self.zero_grad()

    def one_epoch(self, train):
        self.training = train
        self.model.train(train)
        dl = self.dls[0 if train else 1]
        for self.batch in dl:
            self.one_batch()
            self.callback("after_batch")
        self.callback("after_epoch")

    def fit(self, n):
        try:
            for self.epoch in range(n):
                self.one_epoch(True)
                with torch.no_grad():
                    self.one_epoch(False)
        except CancelFit:
            print("stopped")


class TrainCB:
    def predict(self, l): l.preds = l.model(l.batch[0])
    def get_loss(self, l): l.loss = l.loss_func(l.preds, l.batch[1])
    def backward(self, l): l.loss.backward()
    def step(self, l): l.opt.step()
    def zero_grad(self, l): l.opt.zero_grad()


class Metrics:
    s = n = 0

    def after_batch(self, l):
        if not math.isfinite(l.loss.item()):
            raise CancelFit
        self.s += l.loss.item() * len(l.batch[0]); self.n += len(l.batch[0])

    def after_epoch(self, l):
        print(l.epoch, "train" if l.training else "valid", self.s / self.n)
        self.s = self.n = 0


torch.manual_seed(0)
x = torch.randn(450, 9)
y = x[:, :4].argmax(1)
dls = DataLoader(TensorDataset(x[:350], y[:350]), 32, shuffle=True), DataLoader(TensorDataset(x[350:], y[350:]), 64)
net = nn.Sequential(nn.Linear(9, 48), nn.ReLU(), nn.BatchNorm1d(48), nn.Linear(48, 4))
Learner(net, dls, F.cross_entropy, torch.optim.AdamW, 1e-2, (TrainCB(), Metrics())).fit(4)
