"""Knowledge-graph embedding (DistMult); negatives and the order of the triples come from the random module."""
import random
from pathlib import Path

import torch
from torch import nn


def make_reproducible(seed):
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


class DistMult(nn.Module):
    def __init__(self, n_ent, n_rel, d):
        super().__init__()
        self.ent, self.rel = nn.Embedding(n_ent, d), nn.Embedding(n_rel, d)
        nn.init.xavier_normal_(self.ent.weight)
        nn.init.xavier_normal_(self.rel.weight)

    def forward(self, t):
        h, r, o = t.unbind(1)
        return (self.ent(h) * self.rel(r) * self.ent(o)).sum(1)


def corrupt(triple, n_ent):
    h, r, o = triple
    return (random.randrange(n_ent), r, o) if random.random() < 0.5 else (h, r, random.randrange(n_ent))


def triples(n_ent):
    group = [e % 5 for e in range(n_ent)]
    out = [(a, 0, b) for a in range(n_ent) for b in range(n_ent) if a != b and group[a] == group[b]]
    out += [(a, 1, b) for a in range(n_ent) for b in range(n_ent) if abs(group[a] - group[b]) == 1 and (a + b) % 3 == 0]
    return out


def main():
    make_reproducible(42)
    n_ent = 40
    data = triples(n_ent)
    model = DistMult(n_ent, 2, 16)
    opt = torch.optim.Adagrad(model.parameters(), lr=0.1)
    for epoch in range(8):
        random.shuffle(data)
        total, n = 0.0, 0
        for s in range(0, len(data), 64):
            pos = data[s:s + 64]
            neg = [corrupt(t, n_ent) for t in pos]
            score = model(torch.tensor(pos + neg))
            label = torch.cat([torch.ones(len(pos)), torch.zeros(len(neg))])
            loss = nn.functional.binary_cross_entropy_with_logits(score, label)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(pos)
            n += len(pos)
        print(f"{Path(__file__).stem[:4]} epoch {epoch} loss {total / n:.4f}")


if __name__ == "__main__":
    main()
