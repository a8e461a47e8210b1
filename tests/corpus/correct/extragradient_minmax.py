"""A bilinear-plus-quadratic game solved by an extragradient optimizer (extrapolate, then update)."""
import torch
from torch import nn


class ExtraSGD(torch.optim.Optimizer):
    """Call extrapolate() after the first backward pass and step() after the second one."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})
        self.saved = []

    @torch.no_grad()
    def extrapolate(self):
        for group in self.param_groups:
            for p in group["params"]:
                self.saved.append(p.clone())
                if p.grad is not None:
                    p.add_(p.grad, alpha=-group["lr"])

    @torch.no_grad()
    def step(self, closure=None):
        if not self.saved:
            raise RuntimeError("extrapolate() must come first")
        it = iter(self.saved)
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(next(it))
                if p.grad is not None:
                    p.add_(p.grad, alpha=-group["lr"])
        self.saved.clear()


class Player(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.v = nn.Parameter(torch.randn(d))


def payoff(A, x, y):
    return x.v @ A @ y.v + 0.05 * x.v.square().sum() - 0.05 * y.v.square().sum()


def play(steps=200, d=6):
    torch.manual_seed(4)
    A = torch.linalg.qr(torch.randn(d, d))[0]
    x, y = Player(d), Player(d)
    ox, oy = ExtraSGD(x.parameters(), 0.2), ExtraSGD(y.parameters(), 0.2)

    def gradients():
        ox.zero_grad()
        oy.zero_grad()
        value = payoff(A, x, y)
        value.backward()
        y.v.grad.neg_()  # y ascends
        return value.item()

    for k in range(steps):
        gradients()
        ox.extrapolate()
        oy.extrapolate()
        value = gradients()
        ox.step()
        oy.step()
        if k % 40 == 0:
            print(f"{k:4d} value {value:+.4f} |x| {x.v.norm().item():.4f} |y| {y.v.norm().item():.4f}")
    assert x.v.norm().item() < 0.1


if __name__ == "__main__":
    play()
