"""Quantisation-aware training: weights rounded to 4 bits forward, passed straight through backward."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, bits):
        scale = w.abs().max() / (2 ** (bits - 1) - 1)
        return torch.round(w / scale) * scale

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class QLinear(nn.Linear):
    bits = 4

    def forward(self, x):
        return F.linear(x, Round.apply(self.weight, self.bits), self.bias)


def spirals(n):
    t = torch.rand(n) * 3 + 0.5
    y = torch.randint(2, (n,))
    angle = 2 * t + y * torch.pi
    return torch.stack([t * angle.cos(), t * angle.sin()], 1) / 2 + 0.03 * torch.randn(n, 2), y.float()


x, y = spirals(800)
x_val, y_val = spirals(400)
net = nn.Sequential(QLinear(2, 64), nn.ReLU(), QLinear(64, 64), nn.ReLU(), QLinear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.005)
step_lr = torch.optim.lr_scheduler.StepLR(opt, step_size=20, gamma=0.5)
for epoch in range(60):
    for idx in torch.randperm(800).split(50):
        opt.zero_grad()
        out = net(x[idx]).squeeze(1)
        F.binary_cross_entropy_with_logits(out, y[idx]).backward()
        opt.step()
    step_lr.step()
    if epoch % 10 == 9:
        with torch.no_grad():
            acc = ((net(x_val).squeeze(1) > 0).float() == y_val).float().mean().item()
        levels = Round.apply(net[2].weight.detach(), 4).unique().numel()
        print(f"epoch {epoch + 1}: accuracy {acc:.3f} with {levels} weight levels")
