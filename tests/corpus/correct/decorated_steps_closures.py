"""Everything is a decorator or a closure: @train_step makes the update, @evaluation wraps mode and grad."""
import functools
import torch
from torch import nn


def train_step(net, opt):
    def deco(loss_fn):
        @functools.wraps(loss_fn)
        def step(*batch):
            net.train()
            for p in net.parameters():
                p.grad = None
            loss = loss_fn(*batch)
            loss.backward()
            opt.step()
            return loss.detach()
        return step
    return deco


def evaluation(net):
    def deco(fn):
        @functools.wraps(fn)
        def run(*a):
            was = net.training
            try:
                with torch.inference_mode():
                    return fn(*a) if not net.eval().training else None
            finally:
                net.train(was)
        return run
    return deco


def shuffled(*tensors, size, rounds):
    def one_round():
        order = torch.randperm(len(tensors[0]))
        yield from (tuple(t[i] for t in tensors) for i in order.split(size))
    return [one_round for _ in range(rounds)]


def experiment(seed):
    torch.manual_seed(seed)
    angle = torch.rand(1300) * 6.28
    radius = 1 + torch.rand(1300)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1) + 0.02 * torch.randn(1300, 2)
    y = torch.stack([radius, (2 * angle).sin()], 1)
    net = nn.Sequential(nn.Linear(2, 64), nn.Mish(), nn.Dropout(0.05), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 2))

    @train_step(net, torch.optim.RAdam(net.parameters(), lr=5e-3))
    def fit(xb, yb):
        return nn.functional.smooth_l1_loss(net(xb), yb)

    @evaluation(net)
    def r_squared(xb, yb):
        return 1 - ((net(xb) - yb) ** 2).sum(0) / ((yb - yb.mean(0)) ** 2).sum(0)

    for k, batches in enumerate(shuffled(x[:1000], y[:1000], size=50, rounds=10)):
        losses = [fit(*b) for b in batches()]
        if k % 3 == 0:
            print(f"seed {seed} round {k} loss {torch.stack(losses).mean():.4f} r2 {r_squared(x[1000:], y[1000:]).tolist()}")


for seed in (0, 1):
    experiment(seed)
