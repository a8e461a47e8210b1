"""A hypernetwork writes the weights of a small regressor for each task (torch.func.functional_call)."""
import torch
import torch.nn as nn
from torch.func import functional_call, vmap


class Target(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1, 16), nn.Linear(16, 1)

    def forward(self, x):
        return self.b(torch.sin(self.a(x)))


class Hyper(nn.Module):
    def __init__(self, target, n_context=2):
        super().__init__()
        self.shapes = {k: p.shape for k, p in target.named_parameters()}
        total = sum(s.numel() for s in self.shapes.values())
        self.body = nn.Sequential(nn.Linear(n_context, 64), nn.SiLU(), nn.Linear(64, total))

    def forward(self, context):
        flat, out, at = self.body(context), {}, 0
        for k, s in self.shapes.items():
            out[k] = flat[:, at : at + s.numel()].reshape(-1, *s)
            at += s.numel()
        return out


def tasks(n):
    amp, phase = 0.5 + torch.rand(n, 1), torch.rand(n, 1) * 3
    x = torch.rand(n, 20, 1) * 4 - 2
    return torch.cat([amp, phase], 1), x, amp[:, :, None] * torch.sin(2 * x + phase[:, :, None])


def main(iters=600):
    target = Target().requires_grad_(False)  # only its shape is used
    hyper = Hyper(target)
    predict = vmap(lambda params, x: functional_call(target, params, (x,)))
    optim = torch.optim.Adam(hyper.parameters(), 2e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(optim, iters)
    for it in range(iters):
        c, x, y = tasks(32)
        loss = nn.functional.mse_loss(predict(hyper(c), x), y)
        optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(hyper.parameters(), 1.0)
        optim.step()
        sched.step()
        if it % 100 == 99:
            with torch.no_grad():
                c, x, y = tasks(200)
                print(it + 1, "new tasks:", nn.functional.mse_loss(predict(hyper(c), x), y).item())


if __name__ == "__main__":
    main()
