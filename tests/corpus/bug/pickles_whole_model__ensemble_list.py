"""Bagged ensemble, saved at the end of the run and read again."""
import torch
from torch import nn

CONFIG = {"members": 3, "epochs": 6, "lr": 5e-3, "file": "ensemble.pth"}


def member():
    return nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 3))


def fit(net, x, y):
    opt = torch.optim.Adam(net.parameters(), CONFIG["lr"])
    rows = torch.randint(len(x), (len(x),))  # bootstrap
    x, y = x[rows], y[rows]
    for _ in range(CONFIG["epochs"]):
        for idx in torch.randperm(len(x)).split(40):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return net, loss.item()


@torch.no_grad()
def vote(nets, x):
    return sum(n(x).softmax(1) for n in nets).argmax(1)


if __name__ == "__main__":
    torch.manual_seed(10)
    x = torch.randn(1000, 6)
    y = (x[:, 0] ** 2 + x[:, 1] > 1).long() + (x[:, 2] > 0.5).long()
    nets, losses = zip(*(fit(member(), x[:800], y[:800]) for _ in range(CONFIG["members"])))
    print("losses", losses)
    torch.save({"config": CONFIG, "models": list(nets)}, CONFIG["file"])
    again = torch.load(CONFIG["file"], weights_only=False)
    print("accuracy", (vote(again["models"], x[800:]) == y[800:]).float().mean().item())
