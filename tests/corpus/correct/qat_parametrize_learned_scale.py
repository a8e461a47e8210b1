"""Quantisation-aware training through torch.nn.utils.parametrize: LSQ weights with a learned step size."""
import torch
import torch.nn.utils.parametrize as P
from torch import nn


class RoundSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad):
        return grad


class LearnedStep(nn.Module):
    def __init__(self, weight, bits=4):
        super().__init__()
        self.q = 2 ** (bits - 1) - 1
        self.step = nn.Parameter(2 * weight.detach().abs().mean() / self.q ** 0.5)
        self.grad_scale = 1.0 / (weight.numel() * self.q) ** 0.5

    def forward(self, w):
        s = self.step * self.grad_scale + (self.step - self.step * self.grad_scale).detach()
        return RoundSTE.apply((w / s).clamp(-self.q, self.q)) * s


def quantise_(net, bits):
    for m in list(net.modules()):
        if type(m) is nn.Linear:
            P.register_parametrization(m, "weight", LearnedStep(m.weight, bits))
    return net


def epoch_of(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad(), P.cached():
        return nn.functional.mse_loss(net(x), y).item()


def main():
    torch.manual_seed(9)
    x = torch.rand(1200, 3) * 2 - 1
    y = (torch.sin(3 * x[:, :1]) * x[:, 1:2] + x[:, 2:] ** 2) + 0.02 * torch.randn(1200, 1)
    tr, te = slice(0, 1000), slice(1000, None)
    net = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
    for phase, lr, epochs in (("float", 5e-3, 12), ("int4", 2e-3, 12)):
        if phase == "int4":
            quantise_(net, 4)
            print("right after quantisation", evaluate(net, x[te], y[te]))
        opt = torch.optim.Adam(net.parameters(), lr)
        for _ in range(epochs):
            net.train()
            for xb, yb in epoch_of(x[tr], y[tr], 100):
                loss = nn.functional.mse_loss(net(xb), yb)
                opt.zero_grad()
                loss.backward()
                opt.step()
        print(phase, "test mse", evaluate(net, x[te], y[te]))
    print({len(m.weight.unique()) for m in net if isinstance(m, nn.Linear)}, "levels a layer")


main()
