"""Folds as in competitions: out-of-fold predictions, a weight file per fold, scaling fitted on the fold's training rows."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

rng = np.random.default_rng(0)
TRAIN = rng.normal(size=(300, 8)).astype("float32") * [1, 2, 3, 4, 1, 1, 1, 1]
TARGET = (TRAIN[:, 0] + TRAIN[:, 1] / 2 > 0).astype("float32")
TEST = (rng.normal(size=(60, 8)) * [1, 2, 3, 4, 1, 1, 1, 1]).astype("float32")


class Rows(Dataset):
    def __init__(self, x, y=None):
        self.x, self.y = torch.tensor(x, dtype=torch.float32), None if y is None else torch.tensor(y).view(-1, 1)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return (self.x[i], self.y[i]) if self.y is not None else self.x[i]


class Scale:
    def fit(self, x):
        self.m, self.s = x.mean(0), x.std(0)
        return self

    def transform(self, x):
        return (x - self.m) / self.s


def train_fn(model, opt, sched, loss_fn, dl):
    model.train()
    final = 0
    for x, y in dl:
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        final += loss.item() * len(x)
    sched.step()
    return final / len(dl.dataset)


def inference_fn(model, dl):
    model.eval()
    preds = []
    for batch in dl:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        with torch.no_grad():
            preds.append(model(x).sigmoid().numpy())
    return np.concatenate(preds)[:, 0]


def run_fold(tr, va, k):
    torch.manual_seed(k)
    sc = Scale().fit(TRAIN[tr])
    dl = DataLoader(Rows(sc.transform(TRAIN[tr]), TARGET[tr]), 32, shuffle=True)
    vl = DataLoader(Rows(sc.transform(TRAIN[va]), TARGET[va]), 32)
    model = nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(0.1), nn.Linear(8, 48), nn.LeakyReLU(), nn.Linear(48, 1))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
    best = np.inf
    for epoch in range(6):
        train_fn(model, opt, sched, nn.BCEWithLogitsLoss(), dl)
        p = inference_fn(model, vl)
        val = -np.mean(TARGET[va] * np.log(p + 1e-7) + (1 - TARGET[va]) * np.log(1 - p + 1e-7))
        if val < best:
            best = val
            torch.save(model.state_dict(), f"fold{k}.pth")
    model.load_state_dict(torch.load(f"fold{k}.pth", weights_only=True))
    return inference_fn(model, vl), inference_fn(model, DataLoader(Rows(sc.transform(TEST)), 32))


order = rng.permutation(300)
oof, test = np.zeros(300), np.zeros(60)
for k, va in enumerate(np.array_split(order, 3)):
    tr = np.setdiff1d(order, va)
    oof[va], part = run_fold(tr, va, k)
    test += part / 3
print("CV accuracy", ((oof > 0.5) == TARGET).mean(), test[:3])
