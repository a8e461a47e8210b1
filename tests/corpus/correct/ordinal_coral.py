"""Rank-consistent ordinal regression (CORAL): shared weights, one bias a threshold."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

LEVELS = 5


def levels(y):
    return (y[:, None] > torch.arange(LEVELS - 1)).float()


class Ratings(Dataset):
    def __init__(self, n, w, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 8, generator=g)
        score = self.x @ w + 0.4 * (self.x[:, 0] ** 2)
        self.y = torch.bucketize(score, torch.tensor([-2.0, -0.5, 0.7, 2.2]))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Coral(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(), nn.Linear(32, 16), nn.LeakyReLU())
        self.w = nn.Linear(16, 1, bias=False)
        self.b = nn.Parameter(torch.arange(LEVELS - 1, 0, -1).float() / (LEVELS - 1))

    def forward(self, x):
        return self.w(self.body(x)) + self.b


def coral_loss(logits, lv):
    terms = nn.functional.logsigmoid(logits) * lv + (nn.functional.logsigmoid(logits) - logits) * (1 - lv)
    return -terms.sum(1).mean()


w = torch.linspace(-1, 1, 8)
train, test = Ratings(1200, w, 1), Ratings(400, w, 2)
tl, el = DataLoader(train, 48, shuffle=True), DataLoader(test, 128)
net = Coral()
opt = torch.optim.Adam(net.parameters(), 5e-3)
for ep in range(10):
    net.train()
    for x, y in tl:
        opt.zero_grad()
        cost = coral_loss(net(x), levels(y))
        cost.backward()
        opt.step()
    net.eval()
    mae = mse = 0.0
    with torch.no_grad():
        for x, y in el:
            pred = (net(x) > 0).sum(1)
            mae += (pred - y).abs().sum().item()
            mse += ((pred - y) ** 2).sum().item()
    print(f"{ep}: cost {cost.item():.3f} MAE {mae / len(test):.3f} RMSE {(mse / len(test)) ** 0.5:.3f}")
