"""Optimizer wrapper that bundles clipping, stepping and the decay (0.9 an epoch, says the paper)."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Optimisation:
    def __init__(self, params, lr, decay_per_epoch, clip):
        self.params = list(params)
        self.opt = torch.optim.RMSprop(self.params, lr=lr)
        self.decay = torch.optim.lr_scheduler.ExponentialLR(self.opt, gamma=decay_per_epoch)
        self.clip = clip

    def minimise(self, loss):
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.params, self.clip)
        self.opt.step()
        self.decay.step()


class RelationNet(nn.Module):
    """g over all pairs of objects, summed, then f."""

    def __init__(self, d=4, h=32):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(2 * d, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU())
        self.f = nn.Sequential(nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 2))

    def forward(self, o):
        n = o.size(1)
        pairs = torch.cat([o[:, :, None].expand(-1, -1, n, -1), o[:, None].expand(-1, n, -1, -1)], -1)
        return self.f(self.g(pairs).mean((1, 2)))


torch.manual_seed(21)
scene = torch.rand(1000, 5, 4)
near = torch.cdist(scene[..., :2], scene[..., :2]) + torch.eye(5)
label = (near.flatten(1).min(1).values < 0.13).long()
train = DataLoader(TensorDataset(scene[:800], label[:800]), batch_size=20, shuffle=True)
test_x, test_y = scene[800:], label[800:]
model = RelationNet()
optimisation = Optimisation(model.parameters(), lr=1e-3, decay_per_epoch=0.9, clip=1.0)
for epoch in range(8):
    total = 0.0
    for x, y in train:
        loss = nn.functional.cross_entropy(model(x), y)
        optimisation.minimise(loss)
        total += loss.item()
    with torch.no_grad():
        acc = (model(test_x).argmax(1) == test_y).float().mean().item()
    print(f"epoch {epoch} loss {total / len(train):.4f} acc {acc:.3f} lr {optimisation.opt.param_groups[0]['lr']:.2e}")
