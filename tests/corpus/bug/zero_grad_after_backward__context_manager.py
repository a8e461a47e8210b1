import contextlib
import torch
from torch import nn


@contextlib.contextmanager
def optimising(opt, clip=None):
    """with optimising(opt): loss.backward()"""
    try:
        yield opt
    finally:
        opt.zero_grad()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([p for g in opt.param_groups for p in g["params"]], clip)
        opt.step()


@contextlib.contextmanager
def inference(model):
    was = model.training
    model.eval()
    with torch.no_grad():
        yield
    model.train(was)


class MADE(nn.Module):
    """masked autoencoder for distribution estimation on binary rows"""

    def __init__(self, d, h):
        super().__init__()
        order, hidden = torch.arange(1, d + 1), torch.randint(1, d, (h,))
        self.register_buffer("m1", (hidden[:, None] >= order[None]).float())
        self.register_buffer("m2", (order[:, None] > hidden[None]).float())
        self.l1, self.l2 = nn.Linear(d, h), nn.Linear(h, d)

    def forward(self, x):
        h = torch.relu(nn.functional.linear(x, self.l1.weight * self.m1, self.l1.bias))
        return nn.functional.linear(h, self.l2.weight * self.m2, self.l2.bias)


torch.manual_seed(1)
base = (torch.rand(1200, 4) < 0.5).float()
x = torch.cat([base, (base + base.roll(1, 1)) % 2, base.roll(2, 1) * base], 1)
train, val = x[:1000], x[1000:]
model = MADE(12, 64)
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()
for epoch in range(5):
    for idx in torch.randperm(1000).split(50):
        with optimising(opt):
            loss = bce(model(train[idx]), train[idx])
            loss.backward()
    with inference(model):
        print(f"epoch {epoch} nats {12 * bce(model(val), val).item():.3f}")
