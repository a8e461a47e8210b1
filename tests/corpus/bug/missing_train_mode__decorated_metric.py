"""ArcFace-like embedding training; metrics are functions under a decorator."""
import functools, math
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def metric(fn):
    """Run a metric in inference mode."""
    @functools.wraps(fn)
    def wrapper(model, *a, **k):
        model.eval()
        with torch.inference_mode():
            return fn(model, *a, **k)
    return wrapper


class ArcMargin(nn.Module):
    def __init__(self, d, c, s=12.0, m=0.2):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c, d))
        nn.init.xavier_uniform_(self.weight)
        self.s, self.cos_m, self.sin_m = s, math.cos(m), math.sin(m)

    def forward(self, e, y):
        cos = F.linear(F.normalize(e), F.normalize(self.weight)).clamp(-0.999, 0.999)
        phi = cos * self.cos_m - (1 - cos ** 2).sqrt() * self.sin_m
        hot = F.one_hot(y, cos.size(1)).bool()
        return self.s * torch.where(hot, phi, cos)


@metric
def retrieval(model, x, y):
    e = F.normalize(model(x))
    s = (e @ e.T).fill_diagonal_(-1)
    return (y[s.argmax(1)] == y).float().mean().item()


def main():
    torch.manual_seed(0)
    y = torch.arange(1000) % 8
    x = torch.randn(8, 24)[y] + 1.2 * torch.randn(1000, 24)
    loader = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
    model = nn.Sequential(nn.Linear(24, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 12))
    margin = ArcMargin(12, 8)
    opt = torch.optim.SGD([*model.parameters(), *margin.parameters()], lr=0.05, momentum=0.9)
    for epoch in range(6):
        seen, total = 0, 0.0
        for xb, yb in loader:
            loss = F.cross_entropy(margin(model(xb), yb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(yb)
            seen += len(yb)
        print(f"{epoch}: loss {total / seen:.3f} retrieval {retrieval(model, x[800:], y[800:]):.3f}")


main()
