"""A helper for mixed precision; unscaling comes, but one line too late."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor


class AmpStep:
    def __init__(self, net, lr, limit):
        self.net, self.limit = net, limit
        self.opt = torch.optim.AdamW(net.parameters(), lr=lr)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14)

    def __call__(self, x, y):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.net(x)
        loss = nn.functional.cross_entropy(logits.float(), y)
        self.opt.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        grads = [p.grad for p in self.net.parameters() if p.grad is not None]
        norm = torch.sqrt(sum(g.pow(2).sum() for g in grads))
        if norm > self.limit:
            for g in grads:
                g.mul_(self.limit / norm)
        self.scaler.unscale_(self.opt)
        self.scaler.step(self.opt)
        self.scaler.update()
        return loss.item()


torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
step = AmpStep(net, 1e-3, 1.0)
for epoch in range(2):
    for x, y in DataLoader(MNIST("data", True, ToTensor(), download=True), 50, shuffle=True):
        last = step(x, y)
    print(epoch, last)
