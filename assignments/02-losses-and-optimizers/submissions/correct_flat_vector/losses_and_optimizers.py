import numpy as np
import torch
from torch.nn.utils import parameters_to_vector as flatten, vector_to_parameters as unflatten


class _LogSoftmax(torch.autograd.Function):
    """With its backward pass written out: g - softmax * sum(g)."""

    @staticmethod
    def forward(ctx, z):
        a = z.detach().numpy()
        a = a - a.max(axis=1, keepdims=True)
        out = a - np.log(np.exp(a).sum(axis=1, keepdims=True))
        out = torch.from_numpy(out)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g - out.exp() * g.sum(1, keepdim=True)


def log_softmax(logits):
    return _LogSoftmax.apply(logits)


def cross_entropy(logits, targets):
    try:
        B, C = logits.shape
    except ValueError:
        raise ValueError("logits are not a table") from None
    if targets.shape != (B,):
        raise ValueError("sizes differ")
    if targets.dtype.is_floating_point:
        raise ValueError("float targets")
    mask = torch.zeros(B, C, dtype=logits.dtype)
    mask[range(B), targets.tolist()] = 1 / B
    return (-log_softmax(logits) * mask).sum()


def mse(pred, target):
    if pred.shape != target.shape:
        raise ValueError("mse needs two tensors of the same shape")
    diff = (pred - target).reshape(-1)
    return diff.dot(diff) / diff.numel()


def bce_with_logits(logits, targets):
    if logits.shape != targets.shape:
        raise ValueError("bce needs two tensors of the same shape")
    top = torch.maximum(logits, torch.zeros_like(logits))
    lse = top + ((-top).exp() + (logits - top).exp()).log()
    return (lse - targets * logits).mean()


class _Flat:
    """All parameters that have a gradient as one long vector."""

    def __init__(self, params):
        self.params = list(params)
        self.offsets = np.cumsum([0] + [p.numel() for p in self.params])
        self.n = int(self.offsets[-1])

    def read(self):
        w, g, mask = (torch.zeros(self.n) for _ in range(3))
        for p, a, b in zip(self.params, self.offsets, self.offsets[1:]):
            w[a:b] = p.detach().reshape(-1)
            if p.grad is not None:
                g[a:b] = p.grad.reshape(-1)
                mask[a:b] = 1
        return w, g, mask

    def write(self, w):
        for p, a, b in zip(self.params, self.offsets, self.offsets[1:]):
            p.data.copy_(w[a:b].view_as(p))

    def zero_grad(self):
        for p in self.params:
            p.grad = torch.zeros_like(p)


class SGD(_Flat):
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        super().__init__(params)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.v = torch.zeros(self.n)

    def step(self):
        w, g, mask = self.read()
        g = g + self.weight_decay * w
        self.v = torch.where(mask > 0, self.momentum * self.v + g, self.v)
        self.write(w - self.lr * self.v * mask)


class Adam(_Flat):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params)
        self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
        self.m, self.v, self.t = torch.zeros(self.n), torch.zeros(self.n), 0

    def step(self):
        w, g, mask = self.read()
        self.t += 1
        self.m = self.m + (1 - self.b1) * (g - self.m)
        self.v = self.v + (1 - self.b2) * (g * g - self.v)
        m = self.m / (1 - self.b1**self.t)
        v = self.v / (1 - self.b2**self.t)
        self.write(self.shrunk(w) - mask * self.lr * m / (v.sqrt() + self.eps))

    def shrunk(self, w):
        return w


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay

    def shrunk(self, w):
        return w * (1 - self.lr * self.weight_decay)


def trajectory(optimizer, params, loss, steps):
    path = np.zeros((steps + 1, sum(p.numel() for p in params)))
    for k in range(steps + 1):
        path[k] = flatten([p.detach() for p in params]).numpy()
        if k < steps:
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
    return path
