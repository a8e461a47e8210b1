"""No modules, no in-place changes: parameters are a dictionary that each step replaces."""
import torch
from torch.func import grad_and_value


def init(key, sizes):
    g = torch.Generator().manual_seed(key)
    return {f"{n}{k}": (torch.randn(i, o, generator=g) / i ** 0.5 if n == "w" else torch.zeros(o))
            for k, (i, o) in enumerate(zip(sizes, sizes[1:])) for n in "wb"}


def apply(p, x):
    x = torch.tanh(x @ p["w0"] + p["b0"])
    return x @ p["w1"] + p["b1"]


def loss_fn(p, x, y):
    logp = torch.log_softmax(apply(p, x), -1)
    return -logp.gather(1, y[:, None]).mean()


def update(p, m, x, y, lr=0.1, mu=0.9):
    g, value = grad_and_value(loss_fn)(p, x, y)
    m = {k: mu * m[k] + g[k] for k in p}
    return {k: p[k] - lr * m[k] for k in p}, m, value


torch.manual_seed(0)
x = torch.randn(300, 6)
y = x[:, :3].argmax(1)
p = init(0, [6, 32, 3])
m = {k: torch.zeros_like(v) for k, v in p.items()}
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        p, m, value = update(p, m, x[i], y[i])
    print(epoch, value.item(), (apply(p, x).argmax(1) == y).float().mean().item())
