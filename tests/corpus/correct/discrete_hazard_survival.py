"""Discrete-time survival: one hazard an interval, a masked Bernoulli likelihood, censoring."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Patients(Dataset):
    """x, interval of the event or of the censoring, 1 if the event was seen."""

    def __init__(self, n, n_bins, seed):
        rng = np.random.default_rng(seed)
        self.x = rng.normal(size=(n, 6)).astype("float32")
        risk = np.exp(0.8 * self.x[:, 0] - 0.6 * self.x[:, 1] * (self.x[:, 2] > 0))
        time = rng.exponential(4 / risk)
        cens = rng.uniform(1, 10, n)
        self.event = (time <= cens).astype("float32")
        self.bin = np.minimum(np.minimum(time, cens), n_bins - 1e-3).astype(int)
        self.n_bins = n_bins

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        at_risk = (np.arange(self.n_bins) <= self.bin[i]).astype("float32")
        died = np.zeros(self.n_bins, "float32")
        died[self.bin[i]] = self.event[i]
        return {"x": self.x[i], "at_risk": at_risk, "died": died, "n": self.bin[i], "e": self.event[i]}


class HazardNet(nn.Module):
    def __init__(self, d, n_bins):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(32, n_bins)

    def forward(self, batch):
        return self.head(self.body(batch["x"]))


def nll(logits, batch):
    every = nn.functional.binary_cross_entropy_with_logits(logits, batch["died"], reduction="none")
    return (every * batch["at_risk"]).sum() / len(logits)


def concordance(score, t, e):
    good = total = 0.0
    for i in range(len(t)):
        if not e[i]:
            continue
        later = t > t[i]
        total += later.sum().item()
        good += (score[later] < score[i]).sum().item()
    return good / total


def fit():
    torch.manual_seed(1)
    np.random.seed(1)
    train, val = Patients(900, 10, 0), Patients(300, 10, 1)
    net = HazardNet(6, 10)
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    for epoch in range(8):
        net.train()
        seen, total = 0, 0.0
        for batch in DataLoader(train, 64, shuffle=True, drop_last=True):
            loss = nll(net(batch), batch)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            opt.step()
            total += loss.item() * len(batch["x"])
            seen += len(batch["x"])
        net.eval()
        with torch.inference_mode():
            (batch,) = DataLoader(val, len(val))
            hazards = net(batch).sigmoid()
            surv = torch.cumprod(1 - hazards, 1).sum(1)
        print(f"{epoch} train {total / seen:.3f} val c-index {concordance(-surv, batch['n'], batch['e']):.3f}")


fit()
