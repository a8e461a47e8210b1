import torch
from torch import no_grad, stack, where, zeros_like


def log_softmax(z):
    z = z - z.amax(-1, keepdim=True)
    return z - z.exp().sum(-1, keepdim=True).log()


def cross_entropy(logits, targets):
    ok = logits.ndim == 2 and targets.ndim == 1 and len(logits) == len(targets)
    if not ok or targets.dtype not in (torch.int64, torch.int32, torch.int16, torch.uint8):
        raise ValueError(f"{logits.shape}, {targets.shape}, {targets.dtype}")
    return -log_softmax(logits).gather(1, targets[:, None]).mean()


def mse(pred, target):
    if tuple(pred.shape) != tuple(target.shape):
        raise ValueError(f"{tuple(pred.shape)} is not {tuple(target.shape)}")
    d = pred - target
    return (d * d).sum() / d.numel()


def bce_with_logits(z, t):
    if z.shape != t.shape:
        raise ValueError("shapes")
    return (where(z > 0, z * (1 - t), -z * t) + (-z.abs()).exp().log1p()).mean()


class SGD:
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        self.params, self.velocity = params, {}
        self.lr, self.mu, self.wd = lr, momentum, weight_decay

    @no_grad()
    def step(self):
        for p in filter(lambda p: p.grad is not None, self.params):
            v = self.mu * self.velocity.get(p, zeros_like(p)) + p.grad + self.wd * p
            self.velocity[p] = v
            p.add_(v, alpha=-self.lr)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


class Adam:
    decay = 0.0

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.ps = [*params]
        self.lr, self.betas, self.eps, self.t = lr, betas, eps, 0
        self.ms, self.vs = ([zeros_like(p, requires_grad=False) for p in self.ps] for _ in "mv")

    @no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for p, m, v in zip(self.ps, self.ms, self.vs):
            if p.grad is None:
                continue
            m.lerp_(p.grad, 1 - b1)
            v.lerp_(p.grad.square(), 1 - b2)
            rate = self.lr / (1 - b1**self.t)
            p.mul_(1 - self.lr * self.decay).addcdiv_(m, (v / (1 - b2**self.t)).sqrt() + self.eps, value=-rate)

    def zero_grad(self):
        for p in self.ps:
            p.grad = None


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.decay = weight_decay


def trajectory(optimizer, params, loss, steps):
    here = lambda: torch.hstack([p.data.ravel() for p in params]).clone()
    def walk():
        yield here()
        for _ in range(steps):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
            yield here()
    return stack([*walk()])
