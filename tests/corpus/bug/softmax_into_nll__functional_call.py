"""Hypernetwork-free few-shot baseline: parameters as a dict, forward by functional_call."""
import torch
import torch.nn.functional as F
from torch.func import functional_call


def init(sizes, key):
    params = {}
    for k, (i, o) in enumerate(zip(sizes, sizes[1:])):
        params[f"{2 * k}.weight"] = (torch.randn(o, i, generator=key) * (2 / i) ** 0.5).requires_grad_()
        params[f"{2 * k}.bias"] = torch.zeros(o, requires_grad=True)
    return params


def skeleton(sizes):
    layers = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def predict(net, params, x):
    return torch.softmax(functional_call(net, params, x), dim=-1)


def nll(probs, y):
    return F.nll_loss(probs, y)


def batches(x, y, size, key):
    for idx in torch.randperm(len(x), generator=key).split(size):
        yield x[idx], y[idx]


if __name__ == "__main__":
    key = torch.Generator().manual_seed(0)
    sizes = (8, 48, 5)
    x = torch.randn(1000, 8, generator=key)
    y = (x @ torch.randn(8, 5, generator=key)).argmax(1)
    net, params = skeleton(sizes), init(sizes, key)
    opt = torch.optim.Adam(params.values(), lr=3e-3)
    for epoch in range(6):
        for xb, yb in batches(x[:800], y[:800], 50, key):
            loss = nll(predict(net, params, xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = (predict(net, params, x[800:]).argmax(-1) == y[800:]).float().mean().item()
        print(epoch, round(loss.item(), 4), round(acc, 3))
