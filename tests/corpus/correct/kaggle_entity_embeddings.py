# ## Store sales: categorical embeddings, 3 folds, OneCycle, out-of-fold RMSE
import gc
import os
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 42
    n_fold = 3
    epochs = 6
    batch_size = 64
    lr = 1e-2
    cat_cols = ["store", "dow", "promo"]
    emb = [(20, 6), (7, 3), (2, 1)]


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(CFG.seed)
n = 1500
df = pd.DataFrame({"store": np.random.randint(0, 20, n), "dow": np.random.randint(0, 7, n), "promo": np.random.randint(0, 2, n), "dist": np.random.rand(n)})
store_effect = np.random.randn(20)
df["sales"] = store_effect[df.store] + 0.3 * np.sin(df.dow) + 0.8 * df.promo * df.dist + 0.1 * np.random.randn(n)
df["fold"] = np.random.permutation(n) % CFG.n_fold


class SalesDataset(Dataset):
    def __init__(self, df):
        self.cats = torch.tensor(df[CFG.cat_cols].values, dtype=torch.long)
        self.cont = torch.tensor(df[["dist"]].values, dtype=torch.float)
        self.y = torch.tensor(df["sales"].values, dtype=torch.float)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.cats[i], self.cont[i], self.y[i]


class SalesNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(n, d) for n, d in CFG.emb])
        self.drop = nn.Dropout(0.02)
        self.mlp = nn.Sequential(nn.Linear(11, 48), nn.ReLU(), nn.BatchNorm1d(48), nn.Linear(48, 1))

    def forward(self, cats, cont):
        x = torch.cat([e(cats[:, i]) for i, e in enumerate(self.embs)] + [cont], 1)
        return self.mlp(self.drop(x)).view(-1)


def train_fn(loader, model, criterion, optimizer, scheduler):
    model.train()
    for cats, cont, y in loader:
        loss = criterion(model(cats, cont), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()


def valid_fn(loader, model):
    model.eval()
    preds = []
    for cats, cont, _ in loader:
        with torch.no_grad():
            preds.append(model(cats, cont).numpy())
    return np.concatenate(preds)


oof = np.zeros(n)
for fold in range(CFG.n_fold):
    trn, val = df[df.fold != fold], df[df.fold == fold]
    train_loader = DataLoader(SalesDataset(trn), CFG.batch_size, shuffle=True, drop_last=True)
    valid_loader = DataLoader(SalesDataset(val), 128)
    model = SalesNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, CFG.lr, epochs=CFG.epochs, steps_per_epoch=len(train_loader))
    best = np.inf
    for epoch in range(CFG.epochs):
        train_fn(train_loader, model, nn.MSELoss(), optimizer, scheduler)
        preds = valid_fn(valid_loader, model)
        rmse = np.sqrt(np.mean((preds - val.sales.values) ** 2))
        if rmse < best:
            best, best_preds = rmse, preds
            torch.save(model.state_dict(), f"fold{fold}.pth")
    oof[val.index] = best_preds
    print(f"fold {fold}: best rmse {best:.4f}")
    del model, optimizer
    gc.collect()
print("oof rmse", np.sqrt(np.mean((oof - df.sales.values) ** 2)))
