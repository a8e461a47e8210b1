"""Plain descent by hand; the parameters are handed over as the generators that they are."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 1))
x = torch.randn(120, 4)
y = x[:, :1] * x[:, 1:2]
for step in range(60):
    loss = (model(x) - y).square().mean()
    gradients = torch.autograd.grad(loss, (p for p in model.parameters() if p.requires_grad))
    with torch.no_grad():
        for p, g in zip(model.parameters(), gradients):
            p.sub_(g, alpha=0.1)
    if step % 20 == 0:
        total = nn.utils.clip_grad_norm_(filter(lambda p: p.grad is not None, model.parameters()), 1.0)
        print(step, loss.item(), total.item())
