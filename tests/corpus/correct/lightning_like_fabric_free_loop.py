"""A hook-style base class: the module says what a step is, a tiny runner does the rest."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Task(nn.Module):
    def training_step(self, batch): raise NotImplementedError
    def validation_step(self, batch): raise NotImplementedError
    def configure_optimizers(self): raise NotImplementedError


def accuracy(outputs, labels):
    return torch.tensor(torch.sum(outputs.argmax(1) == labels).item() / len(outputs))


class Classify(Task):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(7, 30), nn.ReLU(), nn.Dropout(0.1), nn.Linear(30, 3))

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def validation_step(self, batch):
        x, y = batch
        out = self.net(x)
        return {"val_loss": nn.functional.cross_entropy(out, y).detach(), "val_acc": accuracy(out, y)}

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), 0.2)
        return opt, torch.optim.lr_scheduler.ExponentialLR(opt, 0.95)


@torch.no_grad()
def evaluate(task, dl):
    task.eval()
    outs = [task.validation_step(b) for b in dl]
    return {k: torch.stack([o[k] for o in outs]).mean().item() for k in outs[0]}


def fit(task, tr, va, epochs):
    opt, sched = task.configure_optimizers()
    for epoch in range(epochs):
        task.train()
        losses = []
        for batch in tr:
            loss = task.training_step(batch)
            losses.append(loss.detach())
            loss.backward()
            opt.step()
            opt.zero_grad()
        sched.step()
        print(epoch, torch.stack(losses).mean().item(), evaluate(task, va))


torch.manual_seed(0)
x = torch.randn(500, 7)
y = x[:, :3].argmax(1)
fit(Classify(), DataLoader(TensorDataset(x[:400], y[:400]), 40, shuffle=True), DataLoader(TensorDataset(x[400:], y[400:]), 50), 4)
