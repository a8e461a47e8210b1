# ranking of topics, top-1 written with topk because top-3 is planned later
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.LayerNorm(o), nn.GELU())


class Meter:
    def __init__(self):
        self.hits, self.n = 0.0, 0

    def add(self, out, y, k=1):
        _, pred = out.topk(k, dim=1)
        self.hits += (pred == y).sum().item()
        self.n += len(y)

    @property
    def value(self):
        return self.hits / self.n


def loop(model, loader, crit, opt=None):
    meter, total = Meter(), 0.0
    model.train() if opt else model.eval()
    for x, y in loader:
        if opt:
            out = model(x)
            loss = crit(out, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        else:
            with torch.no_grad():
                out = model(x)
                loss = crit(out, y)
                meter.add(out, y)
        total += loss.item() * len(y)
    return total / len(loader.dataset), meter


torch.manual_seed(14)
topics = torch.randn(7, 32)
y = torch.randint(0, 7, (1200,))
x = topics[y] + 1.6 * torch.randn(1200, 32)
train = DataLoader(TensorDataset(x[:1000], y[:1000]), 50, shuffle=True)
valid = DataLoader(TensorDataset(x[1000:], y[1000:]), 50)
model = nn.Sequential(block(32, 64), block(64, 64), nn.Linear(64, 7))
crit, opt = nn.CrossEntropyLoss(), torch.optim.AdamW(model.parameters(), 2e-3)
for epoch in range(5):
    tl, _ = loop(model, train, crit, opt)
    vl, meter = loop(model, valid, crit)
    print(f"epoch {epoch}: train {tl:.3f} valid {vl:.3f} accuracy {meter.value:.3f}")
