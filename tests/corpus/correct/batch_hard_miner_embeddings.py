# metric learning: a P x K sampler gives batches, a miner picks the hardest triplets, the loss takes (emb, tuple)
import random
from collections import defaultdict
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Sampler, TensorDataset


def fix_all(seed):
    random.seed(seed)
    torch.manual_seed(seed)


class PKSampler(Sampler):
    def __init__(self, labels, p, k, n_batches):
        self.by_class = defaultdict(list)
        for i, y in enumerate(labels.tolist()):
            self.by_class[y].append(i)
        self.p, self.k, self.n = p, k, n_batches

    def __len__(self):
        return self.n

    def __iter__(self):
        for _ in range(self.n):
            yield [i for c in random.sample(sorted(self.by_class), self.p) for i in random.sample(self.by_class[c], self.k)]


class HardestMiner:
    def __call__(self, emb, y):
        with torch.no_grad():
            d = torch.cdist(emb, emb)
            same = y[:, None] == y[None]
            return torch.arange(len(y)), (d - 1e6 * ~same).argmax(1), (d + 1e6 * same).argmin(1)


class SoftTriplet(nn.Module):
    def forward(self, emb, triplets):
        a, p, n = (emb[t] for t in triplets)
        return F.softplus((a - p).norm(dim=1) - (a - n).norm(dim=1)).mean()


def recall_at_1(net, x, y):
    net.eval()
    with torch.no_grad():
        e = net(x)
        d = torch.cdist(e, e).fill_diagonal_(float("inf"))
    net.train()
    return (y[d.argmin(1)] == y).double().mean().item()


if __name__ == "__main__":
    fix_all(2)
    centres = torch.randn(12, 16)
    mix = torch.randn(16, 40)
    y = torch.arange(12).repeat(60)
    x = torch.tanh(torch.randn(720, 16) * 0.7 + centres[y]) @ mix + 2 * torch.randn(720, 40)
    tr, va = y < 9, y >= 9  # classes of the validation part were never seen
    net = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 16))
    dl = DataLoader(TensorDataset(x[tr], y[tr]), batch_sampler=PKSampler(y[tr], 6, 8, 30))
    opt, miner, crit = torch.optim.Adam(net.parameters(), 1e-3), HardestMiner(), SoftTriplet()
    print("before", round(recall_at_1(net, x[va], y[va]), 3))
    for ep in range(5):
        tot = 0.0
        for xb, yb in dl:
            opt.zero_grad()
            e = net(xb)
            loss = crit(e, miner(e, yb))
            loss.backward()
            opt.step()
            tot += loss.item()
        print(ep, round(tot / len(dl), 4), "R@1", round(recall_at_1(net, x[va], y[va]), 3))
