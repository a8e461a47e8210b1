import math, random
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


def seed_everything(seed=42):
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed)


class Molecules(Dataset):
    """Coulomb-like matrices of random clusters and their energy"""
    def __init__(self, n, atoms=5):
        rng = np.random.default_rng(3)
        pos = rng.normal(size=(n, atoms, 3))
        charge = rng.integers(1, 4, size=(n, atoms))
        dist = np.linalg.norm(pos[:, :, None] - pos[:, None], axis=-1) + np.eye(atoms)
        c = charge[:, :, None] * charge[:, None] / (dist + 0.5)
        self.x = np.sort(np.linalg.eigvalsh(c), 1).astype(np.float32) / 10
        self.y = np.tanh(c.sum((1, 2)) / 60).astype(np.float32)

    def __len__(self): return len(self.y)
    def __getitem__(self, i): return self.x[i], self.y[i]


class Config:
    train_frac, val_frac = 0.85, 0.25
    bs, lr, epochs = 64, 3e-3, 8


class EnergyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, x): return self.f(x)[:, 0]


def split(n):
    idx = np.random.permutation(n)
    return idx[:int(Config.train_frac * n)], idx[-int(Config.val_frac * n):]


if __name__ == '__main__':
    seed_everything()
    data = Molecules(1200)
    tr, va = split(len(data))
    dl_tr = DataLoader(Subset(data, tr), Config.bs, shuffle=True, drop_last=True)
    dl_va = DataLoader(Subset(data, va), Config.bs)
    model = EnergyNet()
    opt = torch.optim.Adam(model.parameters(), lr=Config.lr)
    sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=Config.epochs)
    for ep in range(Config.epochs):
        model.train()
        for x, y in dl_tr:
            opt.zero_grad()
            loss = nn.functional.l1_loss(model(x), y)
            loss.backward()
            opt.step()
        sch.step()
        model.eval()
        err = 0.
        with torch.no_grad():
            for x, y in dl_va: err += (model(x) - y).abs().sum().item()
        print(f'{ep} mae {err / len(va):.4f} log {math.log(err / len(va)):.2f}')
