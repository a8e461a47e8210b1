"""A Regulariser that adds the L2 gradient by hooks, and an optimizer from another config that decays as well."""
import torch
from torch import nn

CONFIG = {
    "regulariser": {"kind": "l2", "strength": 5e-3},
    "optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9, "weight_decay": 5e-3},
    "epochs": 8,
    "batch": 50,
}


class Regulariser:
    def __init__(self, model, kind, strength):
        grad = {"l2": lambda p: p, "l1": torch.sign}[kind]
        self.handles = [p.register_hook(lambda g, p=p: g + strength * grad(p.detach())) for p in model.parameters()]

    def remove(self):
        for h in self.handles:
            h.remove()


def make_optimizer(params, name, **options):
    return getattr(torch.optim, name)(params, **options)


def dataset(n):
    x = torch.randn(n, 25)
    y = torch.tanh(x[:, :3].sum(1, keepdim=True)) + 0.1 * torch.randn(n, 1)
    return x, y


def main():
    torch.manual_seed(0)
    (x, y), (xt, yt) = dataset(500), dataset(300)
    net = nn.Sequential(nn.Linear(25, 50), nn.ReLU(), nn.Linear(50, 1))
    regulariser = Regulariser(net, **CONFIG["regulariser"])
    opt = make_optimizer(net.parameters(), **CONFIG["optimizer"])
    for epoch in range(CONFIG["epochs"]):
        for idx in torch.randperm(len(x)).split(CONFIG["batch"]):
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
        with torch.no_grad():
            norm = sum(p.square().sum() for p in net.parameters()).sqrt().item()
            print(f"epoch {epoch} train {loss.item():.4f} test {nn.functional.mse_loss(net(xt), yt).item():.4f} |w| {norm:.3f}")
    regulariser.remove()


main()
