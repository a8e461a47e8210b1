"""An engine with callbacks: checkpointing, printing and the schedule are plugged in."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def before_fit(self, eng): pass
    def after_batch(self, eng): pass
    def after_epoch(self, eng): pass


class Printer(Callback):
    def after_epoch(self, eng):
        print(f"{eng.epoch:02d} " + " ".join(f"{k}={v:.4f}" for k, v in eng.metrics.items()))


class KeepBest(Callback):
    def before_fit(self, eng):
        self.best, self.weights = float("inf"), None

    def after_epoch(self, eng):
        if eng.metrics["valid"] < self.best:
            self.best = eng.metrics["valid"]
            self.weights = copy.deepcopy(eng.model.state_dict())


class Schedule(Callback):
    def __init__(self, sched):
        self.sched = sched

    def after_batch(self, eng):
        if eng.model.training:
            self.sched.step()


class Engine:
    def __init__(self, model, opt, loss, cbs):
        self.model, self.opt, self.loss, self.cbs = model, opt, loss, cbs
        self.metrics = {}

    def call(self, name):
        for cb in self.cbs:
            getattr(cb, name)(self)

    def one_pass(self, dl):
        total = count = 0
        for xb, yb in dl:
            out = self.model(xb)
            l = self.loss(out, yb)
            if self.model.training:
                l.backward()
                self.opt.step()
                self.opt.zero_grad()
            total += l.detach() * len(xb)
            count += len(xb)
            self.call("after_batch")
        return (total / count).item()

    def fit(self, train_dl, valid_dl, epochs):
        self.call("before_fit")
        for self.epoch in range(epochs):
            self.model.train()
            self.metrics["train"] = self.one_pass(train_dl)
            self.model.eval()
            with torch.no_grad():
                self.metrics["valid"] = self.one_pass(valid_dl)
            self.call("after_epoch")


torch.manual_seed(0)
x = torch.randn(330, 4)
y = torch.sin(x.sum(1, keepdim=True))
dl = DataLoader(TensorDataset(x[:250], y[:250]), 32, shuffle=True)
vdl = DataLoader(TensorDataset(x[250:], y[250:]), 64)
model = nn.Sequential(nn.Linear(4, 64), nn.GELU(), nn.Dropout(0.05), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6 * len(dl))
keep = KeepBest()
Engine(model, opt, nn.MSELoss(), [Schedule(sched), keep, Printer()]).fit(dl, vdl, 6)
model.load_state_dict(keep.weights)
print("best", keep.best)
