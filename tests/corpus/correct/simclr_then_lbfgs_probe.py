"""SimCLR: contrastive pretraining with two views, then a linear probe on frozen features."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(5)
PROTOTYPES = torch.randn(4, 1, 12, 12)


class TwoViews(Dataset):
    def __init__(self, n, views=True):
        self.y = torch.arange(n) % 4
        self.x = PROTOTYPES[self.y] + 0.5 * torch.randn(n, 1, 12, 12)
        self.views = views

    def augment(self, x):
        if torch.rand(()) < 0.5:
            x = x.flip(-1)
        return x * (0.8 + 0.4 * torch.rand(())) + 0.2 * torch.randn_like(x)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        if self.views:
            return self.augment(self.x[i]), self.augment(self.x[i])
        return self.x[i], self.y[i]


def nt_xent(z, temperature=0.5):
    z = F.normalize(z, dim=1)
    sim = z @ z.T / temperature
    n = len(z) // 2
    sim.fill_diagonal_(float("-inf"))
    targets = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, targets)


encoder = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 25, 32))
projector = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16, bias=False))
optimizer = torch.optim.SGD(list(encoder.parameters()) + list(projector.parameters()), lr=0.1, momentum=0.9, weight_decay=1e-4)
loader = DataLoader(TwoViews(256), batch_size=64, shuffle=True, drop_last=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
encoder.train(), projector.train()
for epoch in range(6):
    total = 0.0
    for a, b in loader:
        loss = nt_xent(projector(encoder(torch.cat([a, b]))))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    scheduler.step()
    print(f"pretraining {epoch}: {total / len(loader):.3f}")

encoder.requires_grad_(False).eval()


@torch.no_grad()
def features(dataset):
    out, labels = [], []
    for x, y in DataLoader(dataset, batch_size=128):
        out.append(encoder(x))
        labels.append(y)
    return torch.cat(out), torch.cat(labels)


train_x, train_y = features(TwoViews(200, views=False))
test_x, test_y = features(TwoViews(80, views=False))
probe = nn.Linear(32, 4)
opt = torch.optim.LBFGS(probe.parameters(), lr=0.5, max_iter=20, line_search_fn="strong_wolfe")


def closure():
    opt.zero_grad()
    value = F.cross_entropy(probe(train_x), train_y) + 1e-3 * probe.weight.pow(2).sum()
    value.backward()
    return value


for _ in range(3):
    opt.step(closure)
with torch.no_grad():
    print(f"linear probe: {(probe(test_x).argmax(1) == test_y).float().mean().item():.3f}")
