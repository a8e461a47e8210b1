"""Learning a per-feature L2 strength by differentiating through unrolled training steps."""
import torch
from torch import nn

torch.manual_seed(31)
d = 30
true_w = torch.cat([torch.randn(5), torch.zeros(d - 5)])
x = torch.randn(240, d)
y = x @ true_w + 0.5 * torch.randn(240)
inner, outer, test = slice(0, 60), slice(60, 140), slice(140, 240)


class Hyper(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_decay = nn.Parameter(torch.full((d,), -3.0))

    def forward(self, w):
        return (self.log_decay.exp() * w.square()).sum()


def inner_loss(w, hyper):
    return nn.functional.mse_loss(x[inner] @ w, y[inner]) + hyper(w)


def unroll(hyper, steps=25, lr=0.1):
    w = torch.zeros(d, requires_grad=True)
    for _ in range(steps):
        (g,) = torch.autograd.grad(inner_loss(w, hyper), w, create_graph=True)
        w = w - lr * g
    return w


hyper = Hyper()
outer_opt = torch.optim.Adam(hyper.parameters(), lr=0.1)
for it in range(60):
    w = unroll(hyper)
    outer_loss = nn.functional.mse_loss(x[outer] @ w, y[outer])
    outer_opt.zero_grad()
    outer_loss.backward()
    outer_opt.step()
    if it % 15 == 0:
        with torch.no_grad():
            t = nn.functional.mse_loss(x[test] @ w, y[test]).item()
        print(f"{it:3d} outer {outer_loss.item():.4f} test {t:.4f} decay of the live features {hyper.log_decay[:5].exp().mean().item():.3f}, of the dead {hyper.log_decay[5:].exp().mean().item():.3f}")
