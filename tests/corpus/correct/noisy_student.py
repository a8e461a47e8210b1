"""Self-training: a teacher labels what has no label, a noised student learns from both."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset


def two_rings(n, g):
    y = torch.randint(2, (n,), generator=g)
    r = 1.0 + y + 0.25 * torch.randn(n, generator=g)
    a = torch.rand(n, generator=g) * 6.2832
    return torch.stack([r * a.cos(), r * a.sin()], 1), y


def net(p):
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 2))


def fit(model, dataset, epochs, noise=0.0):
    loader = DataLoader(dataset, batch_size=20, shuffle=True, drop_last=True)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(epochs):
        for x, target in loader:
            out = F.log_softmax(model(x + noise * torch.randn_like(x)), -1)
            loss = F.kl_div(out, target, reduction="batchmean")
            opt.zero_grad()
            loss.backward()
            opt.step()
    return model


@torch.no_grad()
def soft_labels(model, x):
    model.eval()
    return F.softmax(model(x), dim=-1)


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(-1) == y).float().mean().item()


g = torch.Generator().manual_seed(21)
torch.manual_seed(21)
xl, yl = two_rings(60, g)
xu, _ = two_rings(800, g)
xt, yt = two_rings(500, g)
labelled = TensorDataset(xl, F.one_hot(yl, 2).float())
model = fit(net(0.0), labelled, 60)
print("teacher", accuracy(model, xt, yt))
for generation in range(3):
    pseudo = soft_labels(model, xu)
    sure = pseudo.max(1).values > 0.8
    both = ConcatDataset([labelled, TensorDataset(xu[sure], pseudo[sure])])
    model = fit(net(0.1), both, 12, noise=0.05)
    print(f"generation {generation}: {sure.sum().item()} pseudo labels, accuracy {accuracy(model, xt, yt):.3f}")
